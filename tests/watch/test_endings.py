"""Each way for a connection to open and to end, on the real kernel: what is told is what was done."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.test_sock_diag import Peer
from tests.kernel.tracing import needs_tracing
from tests.link.rights import needs_network
from tulpen.kernel.sock_diag import SockDiag
from tulpen.link.namespace import PrivateNetwork
from tulpen.show.path import path_text
from tulpen.watch.ended import Ended
from tulpen.watch.traced import Traced
from tulpen.watch.verdict import Ending
from tulpen.wire.segment import ACK, FIN, RST, SYN

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network, needs_tracing]

Pair = tuple[socket.socket, socket.socket]
PATIENCE = 60  # seconds


class Scene:
    """A network of its own, a listener in it, and a watch that sees nothing else."""

    def __init__(self, network: PrivateNetwork, port: int, family: socket.AddressFamily) -> None:
        self.network = network
        self.port = port
        self.namespace = Path(f"/proc/{network.pid}/ns/net").stat().st_ino
        self.family = family
        self.address = "127.0.0.1" if family == socket.AF_INET else "::1"
        self.listener = self.socket()
        self.listener.bind(("", port))
        self.listener.listen()
        self.watch = Traced(ports=frozenset({port, port + 1}))

    def socket(self) -> socket.socket:
        made = self.network.open_socket(self.family, socket.SOCK_STREAM)
        made.settimeout(PATIENCE)
        return made

    def pair(self) -> Pair:
        client = self.socket()
        client.connect((self.address, self.port))
        server, _ = self.listener.accept()
        server.settimeout(PATIENCE)
        return client, server

    def told(self, *, number: int) -> dict[str, Ended]:
        """Wait until so many ends are told; give them as client and server, by the listener's port."""
        found: dict[str, Ended] = {}
        deadline = time.monotonic() + PATIENCE
        while len(found) < number:
            assert time.monotonic() < deadline, f"told: {[each.as_line() for each in found.values()]}"
            time.sleep(0.01)
            for each in self.watch.poll():
                found["server" if each.name.local_port == self.port else "client"] = each
        return found

    def close(self) -> None:
        self.watch.close()
        self.listener.close()


@contextlib.contextmanager
def impatient() -> Iterator[PrivateNetwork]:
    """Give a network whose Linux gives up soon."""
    sysctls: dict[str, int | str] = {
        "net.ipv4.tcp_retries2": 3,
        "net.ipv4.tcp_syn_retries": 1,
        "net.ipv4.tcp_syn_linear_timeouts": 0,
    }
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(PrivateNetwork(sysctls=sysctls))
        except OSError:  # an older kernel: no tcp_syn_linear_timeouts
            del sysctls["net.ipv4.tcp_syn_linear_timeouts"]
            yield stack.enter_context(PrivateNetwork(sysctls=sysctls))


@pytest.fixture(scope="module")
def network() -> Iterator[PrivateNetwork]:
    with impatient() as network:
        yield network


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def scene(network: PrivateNetwork, request: pytest.FixtureRequest) -> Iterator[Scene]:
    scene = Scene(network, random.randrange(20_000, 30_000), request.param)  # others may be traced meanwhile
    yield scene
    scene.close()


def linger_0(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def orderly(scene: Scene) -> None:
    client, server = scene.pair()
    client.send(b"hello")
    assert server.recv(9) == b"hello"
    server.send(b"you")
    assert client.recv(9) == b"you"
    client.close()
    assert server.recv(9) == b""
    server.close()


def half_closed(scene: Scene) -> None:
    client, server = scene.pair()
    client.shutdown(socket.SHUT_WR)
    assert server.recv(9) == b""
    server.send(b"more")
    server.close()
    assert client.recv(9) == b"more"
    assert client.recv(9) == b""
    client.close()


def lingering(scene: Scene) -> None:
    client, server = scene.pair()
    linger_0(client)
    client.close()
    with pytest.raises(ConnectionResetError):
        server.recv(9)
    server.close()


def unread(scene: Scene) -> None:
    client, server = scene.pair()
    server.send(b"x")
    assert client.recv(1, socket.MSG_PEEK) == b"x"
    client.close()
    with pytest.raises(ConnectionResetError):
        server.recv(9)
    server.close()


def data_after_close(scene: Scene) -> None:
    client, server = scene.pair()
    client.shutdown(socket.SHUT_WR)
    assert server.recv(9) == b""
    client.close()
    server.send(b"x")
    deadline = time.monotonic() + PATIENCE
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < deadline:
            server.send(b"x")
            time.sleep(0.001)
    server.close()


def disconnected(scene: Scene) -> None:
    client, server = scene.pair()
    assert ctypes.CDLL(None).connect(client.fileno(), bytes(16), 16) == 0
    with pytest.raises(ConnectionResetError):
        server.recv(9)
    time.sleep(0.02)
    client.close()
    server.close()


def never_accepted(scene: Scene) -> None:
    client = scene.socket()
    client.connect((scene.address, scene.port))
    client.send(b"x")
    scene.listener.close()
    with pytest.raises(ConnectionResetError):
        client.recv(9)
    client.close()


def killed(scene: Scene) -> None:
    client, server = scene.pair()
    with scene.network.sock_diag() as diag:
        found = SockDiag(diag).sockets(info=False)
        cookie = next(each.cookie for each in found if each.name.local_port == client.getsockname()[1])
        ids = struct.pack("!HH", client.getsockname()[1], scene.port)
        addresses = (socket.inet_pton(scene.family, scene.address).ljust(16, b"\0")) * 2
        body = struct.pack("=BBBxI", scene.family, 6, 0, 0xFFFF_FFFF) + ids + addresses + bytes(4) + cookie
        diag.send(struct.pack("=IHHII", 16 + len(body), 21, 5, 1, 0) + body)  # SOCK_DESTROY, REQUEST | ACK
        if struct.unpack_from("=i", diag.recv(4096), 16)[0]:
            pytest.skip("this kernel has no CONFIG_INET_DIAG_DESTROY")
    with pytest.raises(ConnectionResetError):
        server.recv(9)
    client.close()
    server.close()


@pytest.mark.parametrize(
    ("play", "client", "server"),
    [
        (orderly, ("orderly", "us", ""), ("orderly", "peer", "")),
        (half_closed, ("half-closed", "us", "by shutdown()"), ("orderly", "peer", "")),
        (lingering, ("aborted, linger 0", "us", "closed with SO_LINGER 0"), ("reset by peer", "peer", "aborted")),
        (
            unread,
            ("aborted, data unread", "us", "closed with data unread"),
            ("reset by peer", "peer", "closed with data unread"),
        ),
        (
            disconnected,
            ("reset by us", "us", "disconnected: connect() with AF_UNSPEC"),
            ("reset by peer", "peer", "aborted"),
        ),
        (
            never_accepted,
            ("reset by peer", "peer", "aborted"),
            ("reset by us", "us", "its listener was closed before it was accepted"),
        ),
        (killed, ("killed", "us", "SOCK_DESTROY, as ss -K sends it"), ("reset by peer", "peer", "aborted")),
    ],
)  # fmt: skip
def test_an_ending(
    scene: Scene, play: Callable[[Scene], None], client: tuple[str, str, str], server: tuple[str, str, str]
) -> None:
    play(scene)
    told = scene.told(number=2)
    for end, expected in (("client", client), ("server", server)):
        verdict = told[end].verdict
        assert (verdict.ending.value, verdict.by, verdict.why) == expected, told[end].as_line()
        assert told[end].who is None or told[end].who.pid == os.getpid()  # type: ignore[union-attr]
    assert told["client"].verdict.opened.value == "active"
    assert told["server"].verdict.opened.value == "passive"


def test_octets_process_and_states_of_an_orderly_one(scene: Scene) -> None:
    orderly(scene)
    told = scene.told(number=2)
    client, server = told["client"], told["server"]
    assert client.who is not None
    assert client.who.pid == os.getpid()
    assert client.namespace == scene.namespace
    assert (client.sent, client.received, server.sent, server.received) == (5, 3, 3, 5)
    assert client.duration is not None
    assert client.duration > 0
    assert (client.retransmissions, server.retransmissions) == (0, 0)
    assert path_text(client.verdict.path) == "SYN-SENT > ESTABLISHED > FIN-WAIT-1 > FIN-WAIT-2 > TIME-WAIT?"
    assert path_text(server.verdict.path) == "LISTEN > SYN-RECEIVED > ESTABLISHED > CLOSE-WAIT > LAST-ACK > CLOSED"


def test_data_for_an_end_that_has_closed(scene: Scene) -> None:
    data_after_close(scene)
    told = scene.told(number=2)
    assert told["server"].verdict.ending is Ending.RESET_BY_PEER
    assert told["server"].verdict.why in (
        "it was in TIME-WAIT",
        "nobody listens there",
        "data came for an application that had closed",
    )


def test_refused(scene: Scene) -> None:
    client = scene.socket()
    with pytest.raises(ConnectionRefusedError):
        client.connect((scene.address, scene.port + 1))
    client.close()
    ended = scene.told(number=1)["client"]
    assert (ended.verdict.ending, ended.verdict.why) == (Ending.REFUSED, "nobody listens there")


def test_a_connection_to_itself_is_opened_from_both_ends(scene: Scene) -> None:
    client = scene.socket()
    client.bind((scene.address, scene.port + 1))
    client.connect((scene.address, scene.port + 1))
    linger_0(client)
    client.close()
    assert scene.told(number=1)["client"].verdict.opened.value == "simultaneous"


def test_one_that_was_there_before_has_no_beginning(network: PrivateNetwork) -> None:
    scene = Scene(network, random.randrange(20_000, 30_000), socket.AF_INET)
    scene.watch.close()
    client, server = scene.pair()
    scene.watch = Traced(ports=frozenset({scene.port}))
    client.close()
    assert server.recv(9) == b""
    server.close()
    ended = scene.told(number=2)["client"]
    scene.close()
    assert (ended.verdict.opened.value, ended.duration) == ("before", None)
    assert ended.verdict.ending is Ending.ORDERLY


class Silent:
    """The kernel as a client of a peer that answers as long as it is asked to."""

    def __init__(self, network: PrivateNetwork) -> None:
        self.network = network
        self.port = random.randrange(20_000, 30_000)
        self.watch = Traced(ports=frozenset({self.port}))
        self.diag = SockDiag(network.sock_diag())
        self.peer = Peer(network, self.diag, "192.0.2.1", "192.0.2.2", self.port)
        self.listener = network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.bind(("", self.port))
        self.listener.listen()
        self.listener.settimeout(PATIENCE)

    def connected(self) -> socket.socket:
        self.peer.send(SYN)
        self.peer.expect(SYN | ACK)
        self.peer.send(ACK)
        return self.listener.accept()[0]

    def told(self) -> Ended:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for each in self.watch.poll():
                return each
            time.sleep(0.01)
        raise AssertionError("nothing was told")

    def close(self) -> None:
        self.watch.close()
        self.diag.close()
        self.listener.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    with impatient() as network:  # its own: what is left on the link from one test would be read by the next
        silent = Silent(network)
        yield silent
        silent.close()


def test_keepalive_death(silent: Silent) -> None:
    server = silent.connected()
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 1)):
        server.setsockopt(socket.IPPROTO_TCP, option, value)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    assert silent.told().verdict.ending is Ending.KEEPALIVE
    server.close()


def test_the_user_timeout(silent: Silent) -> None:
    server = silent.connected()
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 500)
    server.send(b"x")
    ended = silent.told()
    server.close()
    assert ended.verdict.ending in (Ending.USER_TIMEOUT, Ending.GAVE_UP)
    assert ended.retransmissions


def test_nothing_is_acknowledged_any_more(silent: Silent) -> None:
    server = silent.connected()
    server.send(b"x")
    ended = silent.told()
    server.close()
    assert ended.verdict.ending is Ending.GAVE_UP, ended.as_line()


def test_both_close_at_once(silent: Silent) -> None:
    silent.connected().close()
    silent.peer.expect(FIN | ACK)
    silent.peer.ack -= 1
    silent.peer.send(FIN | ACK)  # it does not acknowledge the kernel's
    silent.peer.ack += 1
    silent.peer.send(ACK)
    ended = silent.told()
    assert (ended.verdict.ending, ended.verdict.by) == (Ending.ORDERLY, "both")
    assert path_text(ended.verdict.path).endswith("FIN-WAIT-1 > CLOSING > TIME-WAIT?")


def test_a_peer_far_away_resets(silent: Silent) -> None:
    server = silent.connected()
    silent.peer.send(RST | ACK)
    ended = silent.told()
    server.close()
    assert (ended.verdict.ending, ended.verdict.why) == (Ending.RESET_BY_PEER, "")


def test_no_syn_is_answered(silent: Silent) -> None:
    client = silent.network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
    client.settimeout(PATIENCE)
    with pytest.raises(TimeoutError):
        client.connect(("192.0.2.2", silent.port))
    client.close()
    ended = silent.told()
    assert ended.verdict.ending is Ending.UNANSWERED, ended.as_line()
    assert ended.retransmissions


def test_abandoned_before_the_answer(silent: Silent) -> None:
    client = silent.network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
    client.setblocking(False)
    client.connect_ex(("192.0.2.2", silent.port))
    client.close()
    assert silent.told().verdict.ending is Ending.ABANDONED


BUSY = """
import socket, struct, time
server = socket.create_server(("127.0.0.1", 0))
until = time.monotonic() + 60
while time.monotonic() < until:
    client = socket.create_connection(server.getsockname())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.accept()[0].close()
"""


def test_a_look_ends_where_something_happens_all_the_time(network: PrivateNetwork) -> None:
    busy = [network.start([sys.executable, "-c", BUSY]) for _ in range(3)]
    with Traced(octets=False) as watch:
        told = 0
        while told < 1000:
            told += len(watch.poll(longest=0.1))
        assert all(each.poll() is None for each in busy)
    for each in busy:
        each.kill()
        each.wait()


def test_what_was_lost_is_counted_and_nobody_is_named_wrongly(network: PrivateNetwork) -> None:
    scene = Scene(network, random.randrange(20_000, 30_000), socket.AF_INET)
    scene.watch.close()
    scene.watch = Traced(ports=frozenset({scene.port}), buffers=8192)
    for _ in range(500):
        orderly(scene)
    told = scene.watch.finish()
    scene.watch.refresh()
    scene.close()
    assert scene.watch.tally.lost > 0
    mine = [each for each in told if scene.port in (each.name.local_port, each.name.remote_port)]
    assert mine
    assert {each.who.pid for each in mine if each.who} <= {os.getpid()}
    assert all(each.verdict.ending in (Ending.ORDERLY, Ending.UNKNOWN) for each in mine)
