from __future__ import annotations

import errno
import socket

import pytest

from tests.doctor.far import Far, wait_for
from tests.doctor.room import Room, evidence, pid_of
from tests.link.rights import needs_network
from tulpen.doctor.finding import Severity
from tulpen.tcp.state import State

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

# Opens connections until there are no more ports, keeps or closes them, and waits.
CLIENT = """
import socket, sys, time
kept, address, close, many = [], sys.argv[1], sys.argv[2] == "close", int(sys.argv[3])
for _ in range(many):
    sock = socket.socket()
    try:
        sock.connect((address, 80))
    except OSError:
        break
    kept.append(sock)
for sock in kept:
    if close:
        sock.close()
time.sleep(600)
"""
PORTS = 30


@pytest.fixture
def few(room: Room) -> Room:
    room.network.set_sysctl("net.ipv4.ip_local_port_range", f"40000 {40000 + PORTS - 1}")
    room.network.set_sysctl("net.ipv4.tcp_tw_reuse", 0)
    return room


def test_open_connections_use_up_the_ports(few: Room, far: Far) -> None:
    client = few.python(CLIENT, "192.0.2.2", "keep", PORTS)
    few.wait_for(State.ESTABLISHED, PORTS)
    finding = few.found("ephemeral-ports")
    assert finding.severity is Severity.CRITICAL
    assert (finding.destination, pid_of(finding)) == ("192.0.2.2:80", client.pid)
    assert evidence(finding, "ports in use") == PORTS
    assert any("would not help" in fix.what for fix in finding.fixes)
    with few.network.open_socket(socket.AF_INET, socket.SOCK_STREAM) as another:
        assert another.connect_ex(("192.0.2.2", 80)) == errno.EADDRNOTAVAIL
    client.kill()
    client.wait()
    few.network.set_sysctl("net.ipv4.ip_local_port_range", "40000 45000")
    few.gone("ephemeral-ports")


def test_time_wait_uses_up_the_ports_and_reuse_helps(few: Room, far: Far) -> None:
    few.python(CLIENT, "192.0.2.2", "close", PORTS)
    few.wait_for(State.TIME_WAIT, PORTS)
    finding = few.found("ephemeral-ports")
    assert "quite used up" in finding.sentence
    assert evidence(finding, "TIME-WAIT") == PORTS
    assert finding.per_second == pytest.approx(PORTS / 10)  # all were made just now
    assert "the next port is free in" in finding.since
    assert any(fix.command == "sysctl -w net.ipv4.tcp_tw_reuse=1" for fix in finding.fixes)
    with few.network.open_socket(socket.AF_INET, socket.SOCK_STREAM) as another:
        assert another.connect_ex(("192.0.2.2", 80)) == errno.EADDRNOTAVAIL
        few.network.set_sysctl("net.ipv4.tcp_tw_reuse", 1)
        few.gone("ephemeral-ports")
        assert another.connect_ex(("192.0.2.2", 80)) == 0


def test_reuse_does_nothing_without_timestamps(few: Room, far: Far) -> None:
    few.network.set_sysctl("net.ipv4.tcp_timestamps", 0)
    few.network.set_sysctl("net.ipv4.tcp_tw_reuse", 1)
    few.python(CLIENT, "192.0.2.2", "close", PORTS)
    few.wait_for(State.TIME_WAIT, PORTS)
    finding = few.found("ephemeral-ports")
    assert any("as long as timestamps are off" in fix.what for fix in finding.fixes)
    said = [each.sentence for each in few.findings() if each.check == "sysctls"]
    assert "net.ipv4.tcp_tw_reuse = 1 does nothing: net.ipv4.tcp_timestamps is 0." in said


BOUND = """
import socket, sys, time
kept, late = [], sys.argv[1] == "late"
for number in range(int(sys.argv[2])):
    sock = socket.socket()
    if late:
        sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    sock.bind(("192.0.2.1", 0))
    sock.connect((f"192.0.2.{2 + number % 3}", 80))
    kept.append(sock)
time.sleep(600)
"""


def test_who_binds_first_runs_out_over_all_destinations(few: Room, far: Far) -> None:
    client = few.python(BOUND, "early", PORTS)
    few.wait_for(State.ESTABLISHED, PORTS)
    finding = few.found("bind-ports")
    assert pid_of(finding) == client.pid
    assert evidence(finding, "destinations") == 3
    with few.network.open_socket(socket.AF_INET, socket.SOCK_STREAM) as another:
        with pytest.raises(OSError, match="Address already in use") as refused:
            another.bind(("192.0.2.1", 0))
        assert refused.value.errno == errno.EADDRINUSE
    client.kill()
    client.wait()
    wait_for(lambda: State.ESTABLISHED not in few.states(), "they are closed")
    few.network.set_sysctl("net.ipv4.ip_local_port_range", "41000 41029")
    few.python(BOUND, "late", PORTS + 15)  # more than there are ports
    few.wait_for(State.ESTABLISHED, PORTS + 15)
    few.gone("bind-ports")


SERVER = """
import socket, time
server = socket.socket()
server.bind(("192.0.2.1", 8080))
server.listen(50)
for _ in range(5):
    server.accept()[0].close()  # the server closes first: TIME-WAIT is its
time.sleep(600)
"""


def test_a_server_that_went_left_its_port_in_time_wait(room: Room, far: Far) -> None:
    server = room.python(SERVER)
    room.listening(8080)
    far.connect(8080, 5)
    room.wait_for(State.TIME_WAIT, 5)
    assert not [each for each in room.findings() if each.check == "restart"]  # it is still there
    server.kill()
    server.wait()
    finding = room.found("restart")
    assert finding.listener == "*:8080"
    assert evidence(finding, "TIME-WAIT on port 8080") == 5
    with room.network.open_socket(socket.AF_INET, socket.SOCK_STREAM) as again:
        with pytest.raises(OSError, match="Address already in use"):
            again.bind(("192.0.2.1", 8080))
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Those in TIME-WAIT were made without SO_REUSEADDR: another port it is, until they have gone.
    with room.network.open_socket(socket.AF_INET, socket.SOCK_STREAM) as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("192.0.2.1", 8081))
        again.listen()
        assert all(each.listener != "*:8081" for each in room.findings())
