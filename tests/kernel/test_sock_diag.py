from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator

import pytest

from tests.link.rights import needs_network
from tulpen.kernel.sock_diag import KernelSocket, SockDiag, Timer
from tulpen.link.namespace import PrivateNetwork
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.segment import ACK, FIN, RST, SYN, Segment

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

PORT = 80
PATIENCE = 60  # seconds


class Peer:
    """The other end of one connection of the kernel's: sends bare segments, follows nothing but the numbers."""

    def __init__(
        self, network: PrivateNetwork, diag: SockDiag, kernel: str, peer: str, kernel_port: int = PORT
    ) -> None:
        self.network = network
        self.diag = diag
        self.name = FourTuple(address(kernel), kernel_port, address(peer), 5000)
        self.seq = 1000
        self.ack = 0

    def send(self, flags: int, length: int = 0) -> None:
        seg = Segment(self.seq, self.ack, flags, 5000, bytes(length), sport=5000, dport=self.name.local_port)
        self.network.link.write(build_packet(Packet(self.name.remote, self.name.local, seg)))
        self.seq += seg.len

    def expect(self, flags: int) -> None:
        """Read up to the segment that bears these flags."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            select.select([self.network.link.fileno()], [], [], 0.1)
            for buffer, offload in self.network.link.read():
                seg = parse_packet(buffer, offload=offload).payload
                assert isinstance(seg, Segment)
                self.ack = max(self.ack, seg.seq + seg.len)
                if seg.flags & ~0x08 == flags:
                    self.name = self.name._replace(local_port=seg.sport)
                    return
        raise AssertionError("the segment did not come")

    def becomes(self, state: State) -> None:
        deadline = time.monotonic() + PATIENCE
        while (found := self.diag.state(self.name)) is not state:
            assert time.monotonic() < deadline, f"{found.title} is not {state.title}"
            time.sleep(0.005)
        socket = self.diag.find(self.name)
        assert (socket.state if socket else State.CLOSED) is state
        listed = [each.state for each in self.diag.sockets(info=False) if each.name == self.name]
        assert listed == ([state] if state is not State.CLOSED else [])


@pytest.fixture
def network() -> Iterator[PrivateNetwork]:
    with PrivateNetwork() as network:
        yield network


@pytest.fixture
def diag(network: PrivateNetwork) -> Iterator[SockDiag]:
    diag = SockDiag(network.sock_diag())
    yield diag
    diag.close()


@pytest.fixture
def listener(network: PrivateNetwork) -> Iterator[socket.socket]:
    with network.open_socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.bind(("::", PORT))
        listener.listen(7)
        yield listener


@pytest.fixture(params=["IPv4 of an IPv6 socket", "IPv6"])
def peer(request: pytest.FixtureRequest, network: PrivateNetwork, diag: SockDiag) -> Peer:
    if request.param == "IPv6":
        return Peer(network, diag, "2001:db8::1", "2001:db8::2")
    return Peer(network, diag, "192.0.2.1", "192.0.2.2")


def _accepted(peer: Peer, listener: socket.socket) -> socket.socket:
    peer.becomes(State.CLOSED)
    peer.send(SYN)
    peer.expect(SYN | ACK)
    peer.becomes(State.SYN_RECEIVED)
    peer.send(ACK)
    peer.becomes(State.ESTABLISHED)
    connection, _ = listener.accept()
    return connection


def test_the_kernel_closes_first(peer: Peer, listener: socket.socket) -> None:
    _accepted(peer, listener).close()
    peer.becomes(State.FIN_WAIT_1)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    peer.becomes(State.FIN_WAIT_2)
    peer.send(FIN | ACK)
    peer.becomes(State.TIME_WAIT)
    found = peer.diag.find(peer.name)
    assert found is not None
    assert (found.timer, found.inode) == (Timer.TIME_WAIT, 0)
    assert 0 < found.expires <= 60_000


def test_both_close_at_once(peer: Peer, listener: socket.socket) -> None:
    _accepted(peer, listener).close()
    peer.becomes(State.FIN_WAIT_1)
    peer.send(FIN | ACK)  # it does not acknowledge the kernel's
    peer.becomes(State.CLOSING)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    peer.becomes(State.TIME_WAIT)


def test_the_peer_closes_first(peer: Peer, listener: socket.socket) -> None:
    connection = _accepted(peer, listener)
    peer.send(FIN | ACK)
    peer.becomes(State.CLOSE_WAIT)
    connection.close()
    peer.becomes(State.LAST_ACK)
    peer.expect(FIN | ACK)
    peer.send(ACK)
    peer.becomes(State.CLOSED)


def test_a_reset_leaves_nothing(peer: Peer, listener: socket.socket) -> None:
    connection = _accepted(peer, listener)
    peer.send(RST | ACK)
    peer.becomes(State.CLOSED)
    connection.close()


def test_the_kernel_opens(network: PrivateNetwork, diag: SockDiag) -> None:
    peer = Peer(network, diag, "192.0.2.1", "192.0.2.2")
    with network.open_socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        client.connect_ex(("192.0.2.2", 5000))
        peer.name = peer.name._replace(local_port=client.getsockname()[1])
        peer.becomes(State.SYN_SENT)
        found = diag.find(peer.name)
        assert found is not None
        assert found.timer is Timer.RETRANSMIT
        assert 0 < found.expires <= 1000


def _listeners(diag: SockDiag) -> list[KernelSocket]:
    return [found for found in diag.sockets() if found.state is State.LISTEN]


def test_a_listener_shows_its_queues(diag: SockDiag, peer: Peer, listener: socket.socket) -> None:
    peer.send(SYN)
    peer.expect(SYN | ACK)
    peer.send(ACK)
    peer.becomes(State.ESTABLISHED)
    waiting = _listeners(diag)
    until = time.monotonic() + PATIENCE
    while not waiting[0].recv_q and time.monotonic() < until:  # it is established a moment before it is queued
        waiting = _listeners(diag)
    assert [(found.recv_q, found.send_q, found.family) for found in waiting] == [(1, 7, socket.AF_INET6)]
    assert waiting[0].name == FourTuple(bytes(16), PORT, bytes(16), 0)
    assert diag.find(waiting[0].name) is not None
    assert diag.state(waiting[0].name) is State.LISTEN


def test_queues_owner_and_tcp_info(peer: Peer, listener: socket.socket) -> None:
    with _accepted(peer, listener) as connection:
        peer.send(ACK, 100)
        assert connection.recv(100, socket.MSG_PEEK) == bytes(100)
        quiet = peer.diag.find(peer.name)
        assert quiet is not None
        assert quiet.info is not None
        assert quiet.info.snd_cwnd == 10
        connection.send(bytes(300))
        found = peer.diag.find(peer.name)
        assert found is not None
        assert (found.recv_q, found.send_q, found.uid) == (100, 300, os.getuid())
        assert found.inode == os.fstat(connection.fileno()).st_ino
        assert found.cookie != bytes(8)
        assert found.info is not None
        assert (found.info.state, found.info.bytes_received) == (1, 100)
        assert (found.info.unacked, found.info.segs_in, found.info.data_segs_in) == (1, 3, 1)
        lean = peer.diag.find(peer.name, info=False)
        assert lean is not None
        assert lean.info is None


def test_a_long_list_comes_whole(network: PrivateNetwork, diag: SockDiag, listener: socket.socket) -> None:
    clients = []
    for _ in range(300):
        client = network.open_socket(socket.AF_INET6, socket.SOCK_STREAM)
        client.setblocking(False)
        client.connect_ex(("2001:db8::2", 9))
        clients.append(client)
    found = diag.sockets()
    assert len([each for each in found if each.state is State.SYN_SENT]) == 300
    assert len({each.name for each in found}) == 301
    for client in clients:
        client.close()
    assert len(diag.sockets()) == 1


def test_the_namespace_of_the_program_by_default() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = FourTuple(address("127.0.0.1"), server.getsockname()[1], bytes(4), 0)
        diag = SockDiag()
        assert name in [found.name for found in diag.sockets() if found.state is State.LISTEN]
        diag.close()
