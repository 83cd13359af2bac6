"""The three services of the benchmarks on PyTCP 2.7.

usage: python -PO pytcp_services.py FD LOCAL REMOTE ETHERNET

FD is a packet socket that this process inherits, in the place of PyTCP's TAP device; ETHERNET is the address
of both its ends.  Nobody answers ARP behind it, so the cache is filled here.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from pytcp import config
from pytcp.lib import socket, stack
from pytcp.lib.ip4_address import Ip4Address, Ip4Host
from pytcp.lib.mac_address import MacAddress

fd, local, remote, ethernet = int(sys.argv[1]), *sys.argv[2:5]

CHUNK = bytes(1 << 16)


def echo(connection: Any) -> None:
    while data := connection.recv():
        connection.send(data)


def discard(connection: Any) -> None:
    while connection.recv():
        pass
    connection.send(b"!")


def chargen(connection: Any) -> None:
    count = b""
    while len(count) < 8:
        count += connection.recv(8 - len(count))
    left = int.from_bytes(count, "big")
    while left > 0:
        left -= connection.send(CHUNK[:left])


def serve(connection: Any, service: Callable[[Any], None]) -> None:
    service(connection)
    connection.close()


def listen(port: int, service: Callable[[Any], None]) -> None:
    listener = socket.socket(socket.AF_INET4, socket.SOCK_STREAM)
    listener.bind((local, port))
    listener.listen()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, service), daemon=True).start()


def main() -> None:
    config.LOG_CHANEL = set()
    config.IP6_SUPPORT = False
    os.set_blocking(fd, True)
    stack.packet_handler.assign_mac_address(MacAddress(ethernet))
    stack.packet_handler.ip4_host.append(Ip4Host(f"{local}/24"))
    stack.arp_cache.add_entry(Ip4Address(remote), MacAddress(ethernet))
    stack.timer.start()
    stack.arp_cache.start()
    stack.rx_ring.start(fd)
    stack.tx_ring.start(fd)
    stack.packet_handler.start()
    for port, service in ((8007, echo), (8009, discard), (8019, chargen)):
        threading.Thread(target=listen, args=(port, service), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()  # until whoever started us is gone
    os._exit(0)


if __name__ == "__main__":
    main()
