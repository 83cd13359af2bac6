"""Small exchanges: connections a second, and the time of a one-byte round trip."""

from __future__ import annotations

import asyncio
import statistics
from functools import partial

from benchmarks.case import Case
from benchmarks.network import Place, on_loopback, on_tun

CONNECTIONS_MADE = 1000
ROUND_TRIPS = 3000

# Eight at a time, so that neither end waits for the other.
CHURN = """
import sys, threading, time
import socket, struct
address, count = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
def work():
    for _ in range(count // 8):
        connection = socket.create_connection(address)
        connection.sendall(b"x")
        assert connection.recv(1) == b"x"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        connection.close()
threads = [threading.Thread(target=work) for _ in range(8)]
began = time.perf_counter()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(count // 8 * 8 / (time.perf_counter() - began))
"""

PING_PONG = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for _ in range(int(sys.argv[3])):
    began = time.perf_counter()
    connection.sendall(b"x")
    connection.recv(1)
    print(time.perf_counter() - began)
"""


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


async def churn(place: Place) -> float:
    await place.start_server(echo)
    return float(await place.client(CHURN, CONNECTIONS_MADE))


async def ping_pong(place: Place) -> float:
    await place.start_server(echo)
    times = [float(line) for line in (await place.client(PING_PONG, ROUND_TRIPS)).split()]
    return statistics.median(times) * 1e6


CONNECTIONS = [
    Case("connect, 1 octet echoed, close", "loopback", "conn/s", partial(on_loopback, churn)),
    Case("connect, 1 octet echoed, close", "TUN", "conn/s", partial(on_tun, churn), "loopback"),
    Case("round trip of 1 octet", "loopback", "µs", partial(on_loopback, ping_pong), smaller=True),
    Case("round trip of 1 octet", "TUN", "µs", partial(on_tun, ping_pong), "loopback", smaller=True),
]
