from __future__ import annotations

import time

import pytest

from tests.doctor.far import Far, wait_for
from tests.doctor.room import SOON, Looked, Room, evidence, grew, pid_of
from tests.link.rights import needs_network
from tulpen.doctor.events import Events
from tulpen.doctor.examine import examine
from tulpen.doctor.finding import Finding
from tulpen.host.socket import Socket
from tulpen.kernel.dump import Dump
from tulpen.sim.filters import Only, clear, drop, flags
from tulpen.tcp.state import State
from tulpen.wire.segment import FIN

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

# Accepts, and ends every five connections together, as it is told to.
SERVER = """
import socket, struct, sys, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("192.0.2.1", 8080))
server.listen(300)
how, kept = sys.argv[1], []
while True:
    sock, _ = server.accept()
    if how == "keep":
        kept.append(sock)
        continue
    if how == "linger":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.recv(1)  # of two: where no more is read, one stays unread
    if how != "unread":
        sock.recv(1000)
    if how == "polite":
        sock.send(b"bye")
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1000)
    kept.append(sock)
    if len(kept) % 5 == 0:
        time.sleep(float(sys.argv[2]))  # so that the doctor sees them before
        for sock in kept:
            sock.close()  # "deaf": the clients send on
        kept.clear()
"""


class Rounds(Looked):
    """A place where something happens before every look but the first."""

    def __init__(self, room: Room, far: Far) -> None:
        super().__init__(room)
        self.far = far
        self.looks = 0
        self.talks = False  # on, when the server has closed
        self.made: list[Socket] = []

    def dump(self) -> Dump:
        self.looks += 1
        if self.looks > 1:
            self.happens()
        return super().dump()

    def happens(self) -> None:
        if self.talks and self.made:
            if State.FIN_WAIT_1 in self.room.states():  # the server has closed, and this has been seen
                self.far.each(self.made, lambda each, now: each.send(b"more", now))
                self.made = []
            return
        self.made = self.far.connect(8080, 5)
        self.far.established(self.made)
        self.far.each(self.made, lambda each, now: each.send(b"ab", now))

    def findings(self) -> list[Finding]:
        return list(examine([self], seconds=1.2, interval=0.2, limits=SOON).findings)

    def found(self, counter: str) -> list[Finding]:
        """Examine until five resets that this counter counts are found, and whose they are."""
        for _ in range(20):
            seen = [each for each in self.findings() if each.check == "resets"]
            if any(
                one.name == counter and (one.grew or 0) >= 5 and pid_of(each) for each in seen for one in each.evidence
            ):
                break
        return seen


@pytest.mark.parametrize(
    ("how", "counter", "why"),
    [
        ("unread", "TcpExtTCPAbortOnClose", "it was closed with octets unread"),
        ("linger", "TcpExtTCPAbortOnData", "SO_LINGER 0 was set"),
        ("deaf", "TcpExtTCPAbortOnData", "octets came for what was closed already"),
    ],
)
def test_who_resets_and_why(room: Room, far: Far, how: str, counter: str, why: str) -> None:
    server = room.python(SERVER, how, 0.3)
    room.listening(8080)
    place = Rounds(room, far)
    place.talks = how == "deaf"
    if place.talks:  # the clients don't know yet that the server has closed
        far.path = Only(flags(FIN), drop)
    found = place.found(counter)
    finding = next((each for each in found if counter in {one.name for one in each.evidence}), None)
    assert finding is not None, [each.sentence for each in found]
    assert why in finding.sentence, finding
    assert (pid_of(finding), finding.listener) == (server.pid, "192.0.2.1:8080"), finding
    assert grew(finding, counter) >= 5
    server.kill()
    server.wait()
    room.python(SERVER, "polite", 0.0)  # the fix: read, shut down, read to the end, close
    room.listening(8080)
    far.path = clear
    assert not [each for each in Rounds(room, far).findings() if each.check == "resets"]


def test_peers_that_reset(room: Room, far: Far) -> None:
    server = room.python(SERVER, "keep")
    room.listening(8080)
    far.established(far.connect(8080, 12))
    wait_for(lambda: all(sock.inode for sock in room.sockets()), "they are accepted")

    class Resetting(Rounds):
        def happens(self) -> None:
            if self.looks == 2:
                far.each(far.opened, Socket.abort)
                wait_for(lambda: State.ESTABLISHED not in room.states(), "they are reset")

    place = Resetting(room, far)
    finding = next(each for each in place.findings() if each.check in {"resets", "idle-resets"})
    assert pid_of(finding) == server.pid
    assert "192.0.2.2" in (finding.destination or finding.evidence[-1].name)


def test_segments_for_nobody(room: Room, far: Far) -> None:
    class Scanned(Rounds):
        def happens(self) -> None:
            far.do(lambda now: [far.host.connect("192.0.2.1", 4000 + port, now) for port in range(10)])

    finding = next(each for each in Scanned(room, far).findings() if each.check == "resets")
    assert "answers" in finding.sentence
    assert "for nobody with RST" in finding.sentence
    assert grew(finding, "TcpOutRsts") >= 10


def test_resets_after_the_same_idle_time(room: Room, far: Far) -> None:
    """Connections begin one after the other; each is reset when it has been idle for as long."""
    server = room.python(SERVER, "keep")
    room.listening(8080)
    made: list[tuple[Socket, float]] = []

    class Limited(Rounds):
        """What lies between forgets what has been idle for a second and a half."""

        def happens(self) -> None:
            for each in [each for each in made if time.monotonic() - each[1] >= 1.5]:
                made.remove(each)
                far.do(each[0].abort)
            if self.looks < 8:
                [socket] = far.connect(8080)
                far.established([socket])
                far.do(lambda now: socket.send(b"x", now))
                made.append((socket, time.monotonic()))

    place = Limited(room, far)
    found = examine([place], seconds=5.0, interval=0.3, limits=SOON).findings
    finding = next(each for each in found if each.check == "idle-resets")
    assert pid_of(finding) == server.pid
    assert finding.destination == "192.0.2.2"
    assert int(evidence(finding, "connections")) >= 3
    assert "resets" not in {each.check for each in found}  # they are explained


REFUSES = """
import socket, struct, time
time.sleep(0.5)
server = socket.create_server(("192.0.2.1", 8080))
for _ in range(8):
    sock, _ = server.accept()
    sock.recv(1000)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()  # at once: no look sees it
time.sleep(600)
"""


def test_connections_that_no_look_sees_are_heard(room: Room, far: Far) -> None:
    with Events() as events:
        if events.missing:
            pytest.skip(f"no tracepoints here: {events.missing[0]}")
    server = room.python(REFUSES)
    room.listening(8080)

    class Brief(Rounds):
        def happens(self) -> None:
            if self.looks == 2:
                made = far.connect(8080, 8)
                far.established(made)
                far.each(made, lambda each, now: each.send(b"x", now))
                wait_for(lambda: State.ESTABLISHED not in room.states(), "they are reset")

    found = [each for each in Brief(room, far).findings() if each.check == "resets"]
    finding = next(each for each in found if "SO_LINGER 0" in each.sentence)
    assert (pid_of(finding), finding.listener) == (server.pid, "192.0.2.1:8080")
    assert int(evidence(finding, "seen to go")) >= 5
