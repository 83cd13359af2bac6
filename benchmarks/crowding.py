"""Many connections at once, all of them receiving; run inside a private network.

usage: crowding.py ADDRESS CONNECTIONS SECONDS

Prints, as JSON, MB a second, how evenly they were shared (Jain's index, in percent: 100 is equal shares), and the
percentage of the connections that received anything.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import sys
import time

CHARGEN = 8019
AT_ONCE = 64  # handshakes under way
ROOM = 16_384  # of a receive buffer, so that ten thousand fit
PATIENCE = 60.0  # seconds until all have begun
WITHOUT_END = (1 << 40).to_bytes(8, "big")


def connected(address: str, count: int) -> list[socket.socket]:
    """Open the connections, some at a time."""
    connections: list[socket.socket] = []
    while len(connections) < count:
        batch = []
        for _ in range(min(AT_ONCE, count - len(connections))):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
            connection.setblocking(False)
            connection.connect_ex((address, CHARGEN))
            batch.append(connection)
        for connection in batch:
            poll = select.poll()
            poll.register(connection, select.POLLOUT)
            poll.poll(30_000)
            error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise SystemExit(f"connection {len(connections)}: error {error}")
        connections += batch
    return connections


def receive(connections: list[socket.socket], seconds: float) -> tuple[dict[int, int], float]:
    """Ask all for octets without end; return what each gave, and the seconds, from when all had begun."""
    epoll, by_fd = select.epoll(), {}
    for connection in connections:
        epoll.register(connection, select.EPOLLIN)
        by_fd[connection.fileno()] = connection
        connection.send(WITHOUT_END)
    octets = dict.fromkeys(by_fd, 0)
    silent = set(by_fd)
    buffer = bytearray(1 << 18)
    began = now = time.perf_counter()
    until = began + PATIENCE
    while now < until:
        for fd, _ in epoll.poll(1.0):
            octets[fd] += by_fd[fd].recv_into(buffer)
            silent.discard(fd)
        now = time.perf_counter()
        if not silent:
            silent = {-1}  # once
            octets = dict.fromkeys(by_fd, 0)
            began, until = now, now + seconds
    return octets, now - began


def main(address: str, count: int, seconds: float) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    octets, passed = receive(connected(address, count), seconds)
    total, squares = sum(octets.values()), sum(each * each for each in octets.values())
    shares = total * total / (count * squares) if squares else 0.0
    moving = sum(each > 0 for each in octets.values()) / count
    print(json.dumps({"rate": total / passed / 1e6, "shares": 100 * shares, "moving": 100 * moving}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
