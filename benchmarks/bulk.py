"""Bulk throughput through TUN, beside asyncio's streams over the kernel's loopback."""

from __future__ import annotations

import asyncio
from functools import partial

from benchmarks.case import Case
from benchmarks.network import Place, on_loopback, on_tun

OCTETS = 100_000_000
CHUNK = bytes(1 << 18)

TAKE = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
buffer, total, began = bytearray(1 << 18), 0, time.perf_counter()
while count := connection.recv_into(buffer):
    total += count
print(total / (time.perf_counter() - began))
"""

GIVE = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
chunk, left, began = bytes(1 << 18), int(sys.argv[3]), time.perf_counter()
while left > 0:
    connection.sendall(chunk)
    left -= len(chunk)
connection.shutdown(socket.SHUT_WR)
connection.recv(1)
print((int(sys.argv[3]) - left) / (time.perf_counter() - began))
"""


async def out(place: Place) -> float:
    """We send; the client measures."""

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(OCTETS // len(CHUNK)):
            writer.write(CHUNK)
            await writer.drain()
        writer.close()

    await place.start_server(send)
    return float(await place.client(TAKE)) / 1e6


async def into(place: Place) -> float:
    """The client sends and measures until we have taken the last octet."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 18):
            pass
        writer.write(b"!")
        writer.close()

    await place.start_server(take)
    return float(await place.client(GIVE, OCTETS)) / 1e6


BULK = [
    Case("100 MB out, by streams", "loopback", "MB/s", partial(on_loopback, out)),
    Case("100 MB out, by streams", "TUN, MTU 1500", "MB/s", partial(on_tun, out), "loopback"),
    Case("100 MB out, by streams", "TUN, offload", "MB/s", partial(on_tun, out, offload=True), "loopback"),
    Case("100 MB in, by streams", "loopback", "MB/s", partial(on_loopback, into)),
    Case("100 MB in, by streams", "TUN, MTU 1500", "MB/s", partial(on_tun, into), "loopback"),
    Case("100 MB in, by streams", "TUN, offload", "MB/s", partial(on_tun, into, offload=True), "loopback"),
]
