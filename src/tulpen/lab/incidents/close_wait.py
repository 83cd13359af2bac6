"""close-wait: a server that does not close (RFC 9293 §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.lab.rows import count
from tulpen.sim.filters import Delay
from tulpen.tcp.state import CLOSE_WAIT

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Line, Machine

TRIP = 1_000_000  # nanoseconds one way
CLIENTS = 20
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def _run(lab: Lab) -> None:
    clients = 500 if lab.full else CLIENTS
    with lab.ground(watch=False) as ground:
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
        client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
        door = server.listen(80, backlog=clients)
        lab.say(f"{clients} clients ask and close. The server reads, and forgets to close.")
        leaked, curve = [], []
        for number in range(clients):
            ours, theirs = lab.joined(ground, client, server, door)
            ours.send(REQUEST)
            ours.close()
            ground.until(lambda theirs=theirs: theirs.state is CLOSE_WAIT, 3)  # type: ignore[misc]
            _served(lab, theirs, number)
            leaked.append(theirs)
            curve.append((ground.seconds, float(count(server, CLOSE_WAIT))))
            lab.progress("clients", number + 1, clients)
        lab.look(server, CLOSE_WAIT, note="Recv-Q tells what the program has not done.")
        lab.plot("The leak", "seconds", "sockets in CLOSE-WAIT", {"server": curve}, steps=True)
        waiting = count(server, CLOSE_WAIT)
        lab.claim("every client leaves a socket in CLOSE-WAIT", waiting == clients, waiting)
        lab.fact("CLOSE-WAIT after as many clients", waiting == clients)
        lab.consult(server, ground)
        _by_queue(lab, leaked)
        _stays(lab, ground, server, clients)
        lab.say("The fix: close().")
        for line in leaked:
            line.close()
        gone = ground.until(lambda: count(server, CLOSE_WAIT) == 0, 5)
        lab.claim("close() ends them", gone, count(server, CLOSE_WAIT))


def _served(lab: Lab, line: Line, number: int) -> None:
    """One kind of program reads all and sees the end, one reads nothing at all."""
    if number % 2 == 0:
        line.receive()
        if line.eof and lab.spoiled:
            line.close()


def _by_queue(lab: Lab, leaked: list[Line]) -> None:
    reads, never = leaked[0], leaked[1]
    lab.claim("one that has read everything has an empty receive queue", reads.readable == 0, reads.readable)
    lab.claim("one that never reads has the request in it", never.readable == len(REQUEST), never.readable)
    lab.measured(
        "What the receive queue says of the program",
        ("Recv-Q", "the program", "the mistake"),
        ((reads.readable, "has read to the end", "it saw the end and did not close"),
         (never.readable, "never reads", "it is stuck, or has forgotten the socket")),
    )  # fmt: skip


def _stays(lab: Lab, ground: Ground, server: Machine, clients: int) -> None:
    """No timer of TCP ends CLOSE-WAIT."""
    seconds = 86_400.0 if lab.virtual else 1.0
    ground.run(seconds)
    waiting = count(server, CLOSE_WAIT)
    lab.claim("no timer ends CLOSE-WAIT", waiting == clients, f"{waiting} after {seconds:,.0f} s")


INCIDENT = Incident(
    name="close-wait",
    summary="A server that does not close: sockets pile up in CLOSE-WAIT until its descriptors are used up.",
    theory=(
        "CLOSE-WAIT means: the peer has closed, and our program has not (RFC 9293 §3.3.2). TCP waits for the "
        "program's CLOSE, however long that takes; no timer ends the state, and no sysctl does. Many of them, growing "
        "with time, are a program that loses sockets: an error path without close(), a pool that keeps dead "
        "connections, a thread that hangs before it reads the end of the stream.\n\n"
        "The receive queue tells them apart. Empty (Linux counts 1 for an unread FIN): the program has read all and "
        "did not close. Not empty: it does not read at all."
    ),
    run=_run,
    spoiled="the server closes what it has read to the end",
)
