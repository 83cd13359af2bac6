from __future__ import annotations

import pytest

from tests.doctor.far import Far, wait_for
from tests.doctor.room import Room, pid_of
from tests.link.rights import needs_network
from tulpen.tcp.state import State

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("net.ipv4.tcp_syncookies", 0, 1),
        ("net.ipv4.tcp_syncookies", 2, 1),
        ("net.ipv4.tcp_timestamps", 0, 1),
        ("net.ipv4.tcp_sack", 0, 1),
        ("net.ipv4.tcp_window_scaling", 0, 1),
        ("net.ipv4.tcp_abort_on_overflow", 1, 0),
        ("net.ipv4.tcp_retries2", 5, 15),
    ],
)
def test_settings_that_hurt(room: Room, name: str, bad: int, good: int) -> None:
    room.network.set_sysctl(name, bad)
    finding = room.found("sysctls", seconds=0.1)
    assert f"{name} = {bad}" in finding.sentence
    assert finding.fixes[-1].command == f"sysctl -w {name}={good}"
    assert room.network.sysctl(name) == str(bad)  # nothing was applied
    room.network.set_sysctl(name, good)
    assert room.findings(seconds=0.1) == []


LISTENER = """
import socket, time
server = socket.socket()
server.bind(("192.0.2.1", 8080))
server.listen(1024)
time.sleep(600)
"""


def test_somaxconn_below_the_backlog(room: Room) -> None:
    room.network.set_sysctl("net.core.somaxconn", 16)
    server = room.python(LISTENER)
    room.listening(8080)
    finding = room.found("sysctls", seconds=0.1)
    assert "net.core.somaxconn = 16 caps the backlog of 1 listener (192.0.2.1:8080)" in finding.sentence
    assert (pid_of(finding), finding.listener) == (server.pid, "192.0.2.1:8080")
    server.kill()
    server.wait()
    room.network.set_sysctl("net.core.somaxconn", 4096)
    room.python(LISTENER)
    room.listening(8080)
    assert room.findings(seconds=0.1) == []


CLIENT = """
import socket, time
while True:
    sock = socket.create_connection(("192.0.2.2", 80))
    sock.close()
    time.sleep(0.05)
"""


def test_time_wait_that_is_cut_short(room: Room, far: Far) -> None:
    room.network.set_sysctl("net.ipv4.tcp_max_tw_buckets", 5)
    room.python(CLIENT)
    wait_for(lambda: State.TIME_WAIT in room.states(), "it has begun")
    finding = room.found("sysctls")
    assert "connections skip TIME-WAIT" in finding.sentence
    room.network.set_sysctl("net.ipv4.tcp_max_tw_buckets", 100_000)
    room.gone("sysctls")
