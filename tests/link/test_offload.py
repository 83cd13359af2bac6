"""Large segments and unfinished checksums go over a link as they are: two kernels speak through two links."""

from __future__ import annotations

import hashlib
import select
import socket
import threading

import pytest

from tests.link.rights import every_device, needs_network
from tulpen.link.namespace import Device, PrivateNetwork
from tulpen.wire.ip import Offload

pytestmark = [pytest.mark.root, needs_network]

DATA = bytes(range(256)) * 8192  # 2 MiB


def _relay(
    left: PrivateNetwork, right: PrivateNetwork, over: threading.Event, seen: list[tuple[int, Offload | None]]
) -> None:
    ends = {left.link.fileno(): (left.link, right.link), right.link.fileno(): (right.link, left.link)}
    while not over.is_set():
        for fd in select.select(list(ends), [], [], 0.05)[0]:
            source, target = ends[fd]
            for packet, offload in source.read():
                seen.append((len(packet), offload))
                target.write(packet, offload)


def _send(client: socket.socket) -> None:
    client.sendall(DATA)
    client.shutdown(socket.SHUT_WR)


def _transfer(left: PrivateNetwork, right: PrivateNetwork, family: int, address: str) -> bytes:
    with (
        right.open_socket(family, socket.SOCK_STREAM) as listener,
        left.open_socket(family, socket.SOCK_STREAM) as client,
    ):
        listener.bind((address, 0))
        listener.listen()
        client.settimeout(120)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        with server:
            sender = threading.Thread(target=_send, args=(client,))
            sender.start()
            digest = hashlib.sha256()
            while data := server.recv(1 << 20):
                digest.update(data)
            sender.join()
    return digest.digest()


@every_device
@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "192.0.2.2"), (socket.AF_INET6, "2001:db8::2")])
def test_two_kernels_speak_through_two_links(device: Device, offload: bool, family: int, address: str) -> None:
    over = threading.Event()
    seen: list[tuple[int, Offload | None]] = []
    other = ["192.0.2.2/24", "2001:db8::2/64"]
    with (
        PrivateNetwork(device=device, offload=offload) as left,
        PrivateNetwork(device=device, offload=offload, addresses=other) as right,
    ):
        relay = threading.Thread(target=_relay, args=(left, right, over, seen))
        relay.start()
        try:
            assert _transfer(left, right, family, address) == hashlib.sha256(DATA).digest()
        finally:
            over.set()
            relay.join()
    if offload:
        assert max(size for size, _ in seen) > 10_000
        assert any(how is not None and how.needs_checksum and how.gso_size > 1000 for _, how in seen)
    else:
        assert max(size for size, _ in seen) <= 1500
        assert {how for _, how in seen} == {None}
