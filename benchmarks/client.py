"""The client of every benchmark: a program of its own, on the TCP of the Linux it runs on.

usage: client.py PROGRAM ADDRESS COUNT CONGESTION-CONTROL

Prints seconds, as JSON.  It imports nothing of tulpen, and is the same whatever answers it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

ECHO, DISCARD, CHARGEN = 8007, 8009, 8019
CHUNK = bytes(1 << 18)
AT_ONCE = 8  # connections, so that neither end waits for the other


def connect(address: str, port: int) -> socket.socket:
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if len(sys.argv) > 4:
        with contextlib.suppress(OSError):  # inside a user namespace even what the user may choose is refused
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, sys.argv[4].encode())
    connection.settimeout(120)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.connect((address, port))
    return connection


def out(address: str, octets: int) -> float:
    """Seconds until so many octets have come."""
    connection = connect(address, CHARGEN)
    buffer, left = bytearray(1 << 18), octets
    began = time.perf_counter()
    connection.sendall(octets.to_bytes(8, "big"))
    while left and (count := connection.recv_into(buffer)):
        left -= count
    seconds = time.perf_counter() - began
    connection.close()
    if left:
        raise SystemExit(f"{left} of {octets} octets never came")
    return seconds


def into(address: str, octets: int) -> float:
    """Seconds until the last of so many octets has been read at the other end."""
    connection = connect(address, DISCARD)
    left = octets
    began = time.perf_counter()
    while left > 0:
        connection.sendall(memoryview(CHUNK)[:left])
        left -= len(CHUNK)
    connection.shutdown(socket.SHUT_WR)
    if connection.recv(1) != b"!":
        raise SystemExit("the other end did not read to the end")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def churn(address: str, count: int) -> float:
    """Seconds for a connection: connect, one octet there and back, close."""

    def work() -> None:
        for _ in range(count // AT_ONCE):
            connection = connect(address, ECHO)
            connection.sendall(b"x")
            if connection.recv(1) != b"x":
                raise ConnectionError("no echo")
            connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for done in [threads.submit(work) for _ in range(AT_ONCE)]:
            done.result()
    return (time.perf_counter() - began) / (count // AT_ONCE * AT_ONCE)


def ping(address: str, count: int) -> float:
    """Median seconds of a round trip of one octet, by a socket that blocks."""
    connection = connect(address, ECHO)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        connection.sendall(b"x")
        connection.recv(1)
        times.append(time.perf_counter() - began)
    connection.close()
    return statistics.median(times)


def ping_streams(address: str, count: int) -> float:
    """The same by asyncio's streams."""

    async def main() -> float:
        reader, writer = await asyncio.open_connection(sock=connect(address, ECHO))
        times = []
        for _ in range(count):
            began = time.perf_counter()
            writer.write(b"x")
            await reader.read(1)
            times.append(time.perf_counter() - began)
        writer.close()
        return statistics.median(times)

    return asyncio.run(main())


PROGRAMS: dict[str, Callable[[str, int], float]] = {
    "out": out,
    "into": into,
    "churn": churn,
    "ping": ping,
    "ping_streams": ping_streams,
}

if __name__ == "__main__":
    print(json.dumps(PROGRAMS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))))
