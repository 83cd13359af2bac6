from __future__ import annotations

import pytest

from tests.doctor.far import Far, wait_for
from tests.doctor.room import SOON, Looked, Room, evidence, grew, pid_of
from tests.link.rights import needs_network
from tulpen.doctor.examine import examine
from tulpen.doctor.finding import Finding, Severity
from tulpen.kernel.dump import Dump
from tulpen.link.namespace import PrivateNetwork
from tulpen.sim.filters import Delay, Only, flags
from tulpen.tcp.state import State
from tulpen.wire.address import address
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.segment import ACK, SYN, Segment

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

SERVER = """
import socket, sys, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("192.0.2.1", 8080))
server.listen(int(sys.argv[1]))
kept = []
while True:
    if sys.argv[2] == "accept":
        kept.append(server.accept()[0])
    else:
        time.sleep(1)
"""


def flood(network: PrivateNetwork, number: int, *, first: int = 0) -> None:
    """Send SYNs that nobody will follow up, each from another address of the link."""
    for each in range(first, first + number):
        source = address(f"192.0.2.{250 + each % 5}")  # nobody is there
        seg = Segment(each, 0, SYN, 1000, b"", sport=1024 + each, dport=8080)
        network.link.write(build_packet(Packet(source, address("192.0.2.1"), seg)))


def _server(room: Room, backlog: int, does: str) -> int:
    command = room.python(SERVER, backlog, does)
    room.listening(8080)
    return command.pid


class Flooding(Looked):
    """A place under attack: every look comes after more SYNs."""

    def __init__(self, room: Room, number: int) -> None:
        super().__init__(room)
        self.number = number
        self.sent = 0

    def dump(self) -> Dump:
        flood(self.room.network, self.number, first=self.sent)
        self.sent += self.number
        return super().dump()


class Visited(Looked):
    """A place where clients connect before every look but the first."""

    def __init__(self, room: Room, far: Far) -> None:
        super().__init__(room)
        self.far = far
        self.came = -5

    def dump(self) -> Dump:
        if self.came >= 0:
            self.far.established(self.far.connect(8080, 5))
        self.came += 5
        return super().dump()


def _under_attack(room: Room, number: int = 100) -> list[Finding]:
    return list(examine([Flooding(room, number)], seconds=1.0, interval=0.3, limits=SOON, events=False).findings)


def test_a_syn_flood_with_cookies(room: Room) -> None:
    pid = _server(room, 8, "accept")
    seen = {each.check: each for each in _under_attack(room)}
    finding = seen["syn-flood"]
    assert finding.severity is Severity.CRITICAL
    assert "A SYN flood fills the SYN queue of 192.0.2.1:8080" in finding.sentence
    assert (pid_of(finding), finding.listener) == (pid, "192.0.2.1:8080")
    assert grew(finding, "TcpExtSyncookiesSent") > 50
    assert grew(finding, "TcpExtSyncookiesRecv") == 0
    assert evidence(finding, "backlog") == 8
    room.gone("syn-flood")  # when the flood is over


def test_real_clients_that_need_cookies_are_no_flood(room: Room, far: Far) -> None:
    _server(room, 4, "accept")
    flood(room.network, 4)  # from now on the SYN queue is full, and who comes gets a cookie
    room.wait_for(State.SYN_RECEIVED, 4)
    place = Visited(room, far)
    seen = {
        each.check: each for each in examine([place], seconds=1.0, interval=0.3, limits=SOON, events=False).findings
    }
    finding = seen["syn-flood"]
    assert finding.severity is Severity.WARNING
    assert "More clients connect to 192.0.2.1:8080 at once" in finding.sentence
    assert 2 * grew(finding, "TcpExtSyncookiesRecv") >= grew(finding, "TcpExtSyncookiesSent") > 0


def test_the_syn_queue_is_full_and_cookies_are_off(room: Room) -> None:
    room.network.set_sysctl("net.ipv4.tcp_syncookies", 0)
    pid = _server(room, 8, "accept")
    seen = {each.check: each for each in _under_attack(room)}
    finding = seen["syn-queue-full"]
    assert (pid_of(finding), finding.listener) == (pid, "192.0.2.1:8080")
    assert grew(finding, "TcpExtTCPReqQFullDrop") > 50
    assert "syn-flood" not in seen
    assert any(fix.command == "sysctl -w net.ipv4.tcp_syncookies=1" for fix in finding.fixes)
    room.network.set_sysctl("net.ipv4.tcp_syncookies", 1)
    room.gone("syn-queue-full")
    again = {each.check for each in _under_attack(room)}
    assert "syn-queue-full" not in again  # cookies are sent instead
    assert "syn-flood" in again


def test_the_accept_queue_overflows(room: Room, far: Far) -> None:
    pid = _server(room, 4, "wait")
    room.python(SERVER.replace("8080", "9090"), 4, "accept")  # another, which is well
    room.listening(9090)
    made = far.connect(8080, 5)
    far.established(made)
    wait_for(
        lambda: any(sock.recv_q > sock.send_q for sock in room.sockets() if sock.state is State.LISTEN), "it is full"
    )
    far.connect(8080, 10)  # their SYNs, and those that follow, find it full
    finding = room.found("accept-queue", seconds=2.5)
    assert finding.severity is Severity.CRITICAL
    assert (pid_of(finding), finding.listener) == (pid, "192.0.2.1:8080")
    assert (evidence(finding, "Recv-Q of the listener"), evidence(finding, "Send-Q of the listener")) == (5, 4)
    assert grew(finding, "TcpExtListenOverflows") > 0
    for _ in range(20):  # the listener is read a moment before the counters, in which SYNs may come
        if grew(finding, "drops of the listener") >= grew(finding, "TcpExtListenOverflows"):
            break
        finding = room.found("accept-queue", seconds=2.5)
    else:
        raise AssertionError("the listener's drops never grew as much as the overflows")


def test_an_accept_queue_that_is_emptied_is_well(room: Room, far: Far) -> None:
    _server(room, 64, "accept")
    far.established(far.connect(8080, 30))
    assert room.findings() == []


def test_the_last_ack_finds_the_accept_queue_full(room: Room, far: Far) -> None:
    pid = _server(room, 8, "wait")
    far.established(far.connect(8080, 6))
    far.path = Only(flags(ACK, lacking=SYN), Delay(500_000_000))  # so that all are half-open when the first ACK comes
    far.connect(8080, 8)
    wait_for(
        lambda: any(sock.recv_q > sock.send_q for sock in room.sockets() if sock.state is State.LISTEN), "it is full"
    )
    finding = room.found("final-ack")
    assert (pid_of(finding), finding.listener) == (pid, "192.0.2.1:8080")
    assert evidence(finding, "SYN-RECEIVED") == 5  # 9 are in the accept queue
    assert grew(finding, "TcpExtListenOverflows") > 0
