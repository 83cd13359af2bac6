from __future__ import annotations

import pytest

from tests.doctor.far import Far, wait_for
from tests.doctor.room import SOON, Room, evidence, pid_of
from tests.link.rights import needs_network
from tulpen.doctor.examine import findings
from tulpen.doctor.finding import Finding, Severity
from tulpen.doctor.look import look
from tulpen.host.socket import Socket
from tulpen.kernel.processes import processes
from tulpen.tcp.state import State

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

# Accepts, does with each connection what it is told to, and waits for a line before it closes them.
SERVER = """
import socket, sys, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("192.0.2.1", 8080))
server.listen(300)
kept = []
for _ in range(int(sys.argv[2])):
    kept.append(server.accept()[0])
for sock in kept:
    if sys.argv[1] == "eof":
        while sock.recv(1000):
            pass
    elif sys.argv[1] == "data":
        sock.recv(3, socket.MSG_WAITALL)
    elif sys.argv[1] == "shutdown":
        sock.shutdown(socket.SHUT_WR)
    elif sys.argv[1] == "close":
        sock.close()
time.sleep(600)
"""
CLIENTS = 4


@pytest.mark.parametrize(
    ("does", "says", "recv_q"),
    [
        ("eof", "it has read the end (EOF) and has not closed", 0),
        ("data", "it has read every octet but not the end (EOF): it does not look at the socket any more", CLIENTS),
        ("nothing", "octets lie unread before the end (EOF): it does not read", 4 * CLIENTS),
    ],
)
def test_close_wait_leaks_are_told_apart(room: Room, far: Far, does: str, says: str, recv_q: int) -> None:
    server = room.python(SERVER, does, CLIENTS)
    room.listening(8080)
    clients = far.connect(8080, CLIENTS)
    far.established(clients)
    far.each(clients, lambda each, now: each.send(b"abc", now))
    if does == "data":  # a FIN that comes together with the last octet would be read with it
        wait_for(lambda: not any(sock.recv_q for sock in room.sockets()), "it reads")
    far.each(clients, Socket.close)
    room.wait_for(State.CLOSE_WAIT, CLIENTS)
    wait_for(lambda: all(sock.inode for sock in room.sockets()), "they are accepted")
    wait_for(lambda: sum(sock.recv_q for sock in room.sockets()) == recv_q, "it has read what it reads")
    finding = room.found("close-wait")
    assert says in finding.sentence
    assert f"leaks {CLIENTS} sockets" in finding.sentence
    assert (pid_of(finding), finding.listener, finding.lab) == (server.pid, "192.0.2.1:8080", "close-wait")
    assert len(finding.holders[0].fds) == CLIENTS
    assert evidence(finding, "Recv-Q") == recv_q
    assert finding.age is not None
    assert finding.age >= SOON.close_wait
    server.kill()  # which closes them: the fix
    server.wait()
    room.gone("close-wait")


OTHERS = """
import socket, time
server = socket.create_server(("127.0.0.1", 8081))
kept = []
for _ in range(5):
    socket.create_connection(("127.0.0.1", 8081)).close()
    kept.append(server.accept()[0])
time.sleep(600)
"""


def test_the_leaks_of_one_process_are_not_the_pace_of_another(room: Room, far: Far) -> None:
    room.python(SERVER, "eof", CLIENTS)
    room.listening(8080)
    clients = far.connect(8080, CLIENTS)
    far.established(clients)
    far.each(clients, Socket.close)
    room.wait_for(State.CLOSE_WAIT, CLIENTS)
    before = look(room, processes().holders)
    room.python(OTHERS)
    room.wait_for(State.CLOSE_WAIT, CLIENTS + 5)

    def found() -> list[Finding]:
        return [
            each for each in findings([before, look(room, processes().holders)], SOON) if each.check == "close-wait"
        ]

    told: list[Finding] = []

    def seen() -> bool:
        told[:] = found()
        return bool(told)

    wait_for(seen, "it is found")
    [finding] = told
    assert finding.listener == "192.0.2.1:8080"
    assert finding.per_second == 0


def test_a_half_close_that_is_meant_is_no_leak(room: Room, far: Far) -> None:
    answer = """
import socket, time
server = socket.create_server(("192.0.2.1", 8080))
sock, _ = server.accept()
while sock.recv(1000):
    pass
while True:
    sock.send(b"more of the answer")
    time.sleep(0.05)
"""
    room.python(answer)
    room.listening(8080)
    far.closes = False
    [client] = far.connect(8080)
    far.established([client])
    far.do(client.shutdown)
    room.wait_for(State.CLOSE_WAIT, 1)
    patient = SOON._replace(close_wait=2.0)  # a server that has no turn for so long would be one that leaks
    assert room.findings(seconds=4.0, limits=patient) == []


def test_fin_wait_2_that_a_process_holds(room: Room, far: Far) -> None:
    far.closes = False
    limits = SOON._replace(pile=20)
    server = room.python(SERVER, "shutdown", 20)
    room.listening(8080)
    far.connect(8080, 20)
    room.wait_for(State.FIN_WAIT_2, 20)
    finding = room.found("fin-wait-2", limits=limits)
    assert "holds 20 sockets in FIN-WAIT-2" in finding.sentence
    assert pid_of(finding) == server.pid
    far.close_all()  # the peers close: the fix
    wait_for(lambda: State.FIN_WAIT_2 not in room.states(), "they close")
    assert "fin-wait-2" not in {each.check for each in room.findings(limits=limits)}


def test_fin_wait_2_of_nobody(room: Room, far: Far) -> None:
    far.closes = False
    limits = SOON._replace(pile=20)
    room.python(SERVER, "close", 20)
    room.listening(8080)
    far.connect(8080, 20)
    room.wait_for(State.FIN_WAIT_2, 20)
    finding = room.found("fin-wait-2", limits=limits)
    assert "20 closed sockets wait in FIN-WAIT-2" in finding.sentence
    assert finding.destination == "192.0.2.2"
    far.close_all()
    wait_for(lambda: State.FIN_WAIT_2 not in room.states(), "they close")
    assert "fin-wait-2" not in {each.check for each in room.findings(limits=limits)}


def test_orphans_that_nobody_answers(room: Room, far: Far) -> None:
    limits = SOON._replace(pile=20)
    server = room.python(SERVER, "eof", 20)
    room.listening(8080)
    clients = far.connect(8080, 20)
    far.established(clients)
    wait_for(lambda: all(sock.inode for sock in room.sockets()), "they are accepted")
    far.path = lambda packet, now: []  # the cable is cut
    server.kill()
    server.wait()
    room.wait_for(State.FIN_WAIT_1, 20)
    finding = room.found("orphans", limits=limits)
    assert finding.severity is Severity.WARNING
    assert evidence(finding, "FIN-WAIT-1, CLOSING, LAST-ACK of nobody") == 20
    assert finding.destination == "192.0.2.2"
    far.path = lambda packet, now: [(0, packet)]
    wait_for(lambda: State.FIN_WAIT_1 not in room.states(), "they are answered")
    assert "orphans" not in {each.check for each in room.findings(limits=limits)}
