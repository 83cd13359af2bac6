from __future__ import annotations

import pytest

from tests.doctor.far import Far, wait_for
from tests.doctor.room import SOON, Room, evidence, grew, pid_of
from tests.link.rights import needs_network
from tulpen.doctor.change import idle_of
from tulpen.doctor.finding import Severity
from tulpen.sim.chance import Chance
from tulpen.sim.filters import Chain, Loss, Only, Reordering
from tulpen.tcp.state import State
from tulpen.wire.address import address
from tulpen.wire.ip import Packet

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

# Connects to each address, with keep-alive's idle time where one is given, writes as it is told, and waits.
CLIENT = """
import socket, sys, time
what, idle, addresses = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
kept = []
for address in addresses:
    sock = socket.create_connection((address, 80))
    if idle:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    sock.send(b"hello")
    kept.append(sock)
if what == "later":  # once the parent has cut the cable
    sys.stdin.readline()
if what in ("stream", "much"):
    for sock in kept:
        sock.setblocking(False)
    left = 5_000_000 if what == "much" else 1 << 60
    while left > 0:
        sent = 0
        for sock in kept:
            try:
                sent += sock.send(bytes(20_000))
            except BlockingIOError:
                pass
        left -= sent
        time.sleep(0.005)
time.sleep(600)
"""
IDLE = SOON._replace(idle=1.0)


def test_idle_connections_without_keep_alive(room: Room, far: Far) -> None:
    client = room.python(CLIENT, "", 0, "192.0.2.2", "192.0.2.2", "192.0.2.3")
    room.wait_for(State.ESTABLISHED, 3)
    wait_for(lambda: min(idle_of(sock.info) for sock in room.sockets()) >= IDLE.idle, "all are idle")
    finding = room.found("keep-alive", limits=IDLE)
    assert "holds 3 connections without keep-alive" in finding.sentence
    assert (pid_of(finding), finding.destination) == (client.pid, "192.0.2.2:80")
    assert evidence(finding, "net.ipv4.tcp_keepalive_time") == "7200"


def test_a_keep_alive_of_two_hours_comes_too_late_and_a_soon_one_is_well(room: Room, far: Far) -> None:
    late = room.python(CLIENT, "", 7200, "192.0.2.2")
    room.wait_for(State.ESTABLISHED, 1)
    assert "whose keep-alive comes too late" in room.found("keep-alive", limits=IDLE).sentence
    assert "net.ipv4.tcp_keepalive_time = 7200" in room.found("sysctls", limits=IDLE).sentence
    late.kill()
    late.wait()
    room.python(CLIENT, "", 1, "192.0.2.2")
    room.wait_for(State.ESTABLISHED, 1)
    assert room.findings(seconds=3.0, limits=IDLE._replace(idle=2.5)) == []


def test_a_hang_that_keep_alive_cannot_see(room: Room, far: Far) -> None:
    client = room.python(CLIENT, "stream", 1, "192.0.2.2")
    room.wait_for(State.ESTABLISHED, 1)
    wait_for(lambda: far.accepted, "it is accepted")
    far.path = lambda packet, now: []
    wait_for(lambda: any(sock.retransmits >= 3 for sock in room.sockets()), "it has tried three times")
    finding = room.found("pending-data")
    assert finding.severity is Severity.CRITICAL
    assert (pid_of(finding), finding.destination) == (client.pid, "192.0.2.2:80")
    assert int(evidence(finding, "retransmissions")) >= 3
    assert any("TCP_USER_TIMEOUT" in fix.what for fix in finding.fixes)
    far.path = lambda packet, now: [(0, packet)]
    room.gone("pending-data")


def test_a_process_that_does_not_read(room: Room, far: Far) -> None:
    reader = room.python(CLIENT, "", 0, "192.0.2.2")
    room.wait_for(State.ESTABLISHED, 1)
    wait_for(lambda: far.accepted, "it is accepted")
    [socket] = far.accepted

    def pour(now: int) -> None:
        if socket.writable:
            socket.send(bytes(min(socket.writable, 100_000)), now)

    def shut() -> bool:
        far.do(pour)
        return any(sock.recv_q > 50_000 and sock.info and sock.info.rcv_wnd < 1000 for sock in room.sockets())

    wait_for(shut, "the window is shut")
    finding = room.found("zero-window")
    assert "does not read 1 connection" in finding.sentence
    assert pid_of(finding) == reader.pid
    assert finding.destination == "192.0.2.2:80"
    assert int(evidence(finding, "Recv-Q")) > 50_000
    reader.kill()
    reader.wait()
    room.gone("zero-window")


def test_a_peer_that_does_not_read(room: Room, far: Far) -> None:
    far.reads = False
    client = room.python(CLIENT, "stream", 0, "192.0.2.2")
    wait_for(lambda: any(sock.timer.name == "PERSIST" for sock in room.sockets()), "the window is probed")
    finding = room.found("zero-window")
    assert finding.sentence.startswith("The peer 192.0.2.2:80 does not read")
    assert (pid_of(finding), finding.destination) == (client.pid, "192.0.2.2:80")
    far.read_on()
    room.gone("zero-window")


def test_a_host_that_does_not_answer(room: Room, far: Far) -> None:
    far.path = lambda packet, now: []
    client = room.python(CLIENT, "", 0, "192.0.2.9")
    wait_for(lambda: any(sock.retransmits >= 2 for sock in room.sockets()), "the SYN has gone again")
    finding = room.found("unanswered")
    assert (pid_of(finding), finding.destination) == (client.pid, "192.0.2.9:80")
    far.path = lambda packet, now: [(0, packet)]
    room.gone("unanswered")


def _to(host: str) -> Only:
    """Lose a part of what goes to one host."""
    goes = address(host)

    def concerns(packet: Packet) -> bool:
        return packet.dst == goes

    return Only(concerns, Loss(Chance(1), 0.3))


def test_a_storm_towards_one_host(room: Room, far: Far) -> None:
    client = room.python(CLIENT, "stream", 0, "192.0.2.2", "192.0.2.3", "192.0.2.4")
    room.wait_for(State.ESTABLISHED, 3)
    far.path = _to("192.0.2.3")
    finding = room.found("retransmissions", limits=SOON._replace(resent_share=0.005))
    assert finding.destination == "192.0.2.3"
    assert "so it is that peer or the path to it" in finding.sentence
    assert pid_of(finding) == client.pid
    assert grew(finding, "TcpRetransSegs") >= 10
    far.path = lambda packet, now: [(0, packet)]
    room.gone("retransmissions")


def test_a_network_that_loses(room: Room, far: Far) -> None:
    far.path = Loss(Chance(2), 0.2)
    room.python(CLIENT, "stream", 0, "192.0.2.2", "192.0.2.3")
    room.wait_for(State.ESTABLISHED, 2)
    finding = room.found("retransmissions")
    assert "peer or the path to it" not in finding.sentence
    assert "most were needless" not in finding.sentence


def test_a_network_that_reorders_is_told_from_one_that_loses(room: Room, far: Far) -> None:
    room.network.set_sysctl("net.ipv4.tcp_timestamps", 0)  # with them PAWS drops what is late, and nobody says DSACK
    room.network.set_sysctl("net.ipv4.tcp_congestion_control", "reno")
    far.path = Chain(Reordering(Chance(3), 0.3, 30_000_000))
    room.python(CLIENT, "stream", 0, "192.0.2.2", "192.0.2.3")
    room.wait_for(State.ESTABLISHED, 2)
    finding = room.found("retransmissions")
    assert "most were needless" in finding.sentence
    assert grew(finding, "TcpExtTCPDSACKRecvSegs") > 0
