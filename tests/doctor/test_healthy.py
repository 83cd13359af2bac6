from __future__ import annotations

import pytest

from tests.doctor.far import Far, wait_for
from tests.doctor.room import Room
from tests.link.rights import needs_network
from tulpen.doctor.examine import examine
from tulpen.tcp.state import State

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

# A server with workers, clients over loopback that open and close, others that keep a connection and stream.
BUSY = """
import socket, threading, time

def serve(server):
    while True:
        sock, _ = server.accept()
        threading.Thread(target=answer, args=(sock,), daemon=True).start()

def answer(sock):
    with sock:
        while data := sock.recv(65536):
            sock.sendall(data)

def short():
    while True:
        with socket.create_connection(("127.0.0.1", 8080)) as sock:
            sock.sendall(b"question")
            sock.recv(100)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(100):
                pass
        time.sleep(0.005)

def stream(address, port):
    with socket.create_connection((address, port)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        while True:
            sock.sendall(bytes(20000))
            if port == 8080:
                left = 20000
                while left:
                    left -= len(sock.recv(left))
            time.sleep(0.01)

server = socket.create_server(("", 8080), backlog=512)
threads = [threading.Thread(target=serve, args=(server,))]
threads += [threading.Thread(target=short) for _ in range(4)]
threads += [threading.Thread(target=stream, args=("127.0.0.1", 8080)) for _ in range(4)]
threads += [threading.Thread(target=stream, args=("192.0.2.2", 80)) for _ in range(3)]
for thread in threads:
    thread.daemon = True
    thread.start()
time.sleep(600)
"""


def test_a_healthy_busy_machine_has_no_finding(room: Room, far: Far) -> None:
    room.python(BUSY)
    far.closes = True
    wait_for(lambda: room.states().count(State.TIME_WAIT) > 100, "it is busy")
    far.established(far.connect(8080, 20))  # from outside, idle since just now
    examination = examine([room], seconds=3.0, interval=0.5)
    assert [finding.sentence for finding in examination.findings] == []
    assert examination.sockets > 100
