"""accept-queue: an application that accepts too slowly (listen(2))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.bench import error_name
from tulpen.lab.incident import Incident
from tulpen.sim.filters import Delay
from tulpen.tcp.state import CLOSED, ESTABLISHED, LISTEN

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Door, Line, Machine

BACKLOG = 2
CLIENTS = 6
TRIP = 1_000_000  # nanoseconds one way


def _run(lab: Lab) -> None:
    rows = [_dropped(lab), _reset(lab)]
    lab.measured("What six clients see", ("tcp_abort_on_overflow", "waiting", "dropped", "told of it"), rows)


def _crowd(lab: Lab, ground: Ground, abort: bool) -> tuple[Machine, Door, list[Line]]:
    server = ground.machine("server", "192.0.2.1", out=Delay(TRIP), tcp_abort_on_overflow=abort, tcp_syncookies=0)
    client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
    door = server.listen(80, backlog=CLIENTS if lab.spoiled else BACKLOG)
    lines = []
    for number in range(CLIENTS):
        lines.append(client.connect(server.address, 80))
        if not abort or number < BACKLOG:
            ground.run(0.05)
    return server, door, lines


def _dropped(lab: Lab) -> tuple[object, ...]:
    with lab.ground() as ground:
        lab.say(f"The program listens with a backlog of {BACKLOG} and accepts nobody; {CLIENTS} clients connect.")
        server, door, lines = _crowd(lab, ground, abort=False)
        ground.run(0.3)
        lab.look(server, LISTEN, note="Recv-Q: how many wait; Send-Q: the backlog. One more than the backlog may wait.")
        lab.claim("the accept queue holds one more than the backlog", door.waiting == BACKLOG + 1, door.waiting)
        overflows = server.counters()["ListenOverflows"]
        lab.show("nstat -az TcpExtListenOverflows TcpExtListenDrops", f"TcpExtListenOverflows {overflows}")
        lab.claim("what comes beyond it is dropped and counted", overflows > 0, overflows)
        lab.consult(server, ground)
        served = sum(line.state is ESTABLISHED for line in lines)
        lab.fact("clients that hold a connection the server will accept", door.waiting)
        lab.fact("clients whose connection is ESTABLISHED at their end, at least", min(served, BACKLOG + 1))
        lab.say("The fix: accept. The clients whose SYN was dropped send it again and get in.")
        taken = []

        def all_in() -> bool:
            line = door.accept()
            if line is not None:
                taken.append(line)
            return len(taken) == CLIENTS

        got_in = ground.until(all_in, 15)
        lab.claim("once the program accepts, everybody gets in", got_in, len(taken))
        lab.draw(ground, "A client that came too early: its SYN goes unanswered and comes again", CLIENTS - 1)
        return (0, BACKLOG + 1, overflows, 0)


def _reset(lab: Lab) -> tuple[object, ...]:
    with lab.ground() as ground:
        lab.say("With tcp_abort_on_overflow = 1; the last ones come at once: the queue fills during their handshakes.")
        server, door, lines = _crowd(lab, ground, abort=True)
        ground.run(0.3)
        told = [line for line in lines if line.state is CLOSED and line.error]
        names = sorted({error_name(line.error) for line in told})
        lab.fact("with tcp_abort_on_overflow: errno", " ".join(names) or "none")
        lab.claim("whoever finds the queue full at the last ACK is reset", names == ["ECONNRESET"], names)
        return (1, door.waiting, server.counters()["ListenOverflows"], len(told))


INCIDENT = Incident(
    name="accept-queue",
    summary="A program that accepts too slowly: a full accept queue, SYNs that vanish, clients that wait for seconds.",
    theory=(
        "The kernel completes handshakes by itself and keeps the connections in the accept queue, which listen(2) "
        "bounds: backlog, at most net.core.somaxconn. When it is full, further SYNs and last ACKs are dropped and "
        "counted (ListenOverflows, ListenDrops), and the clients try again after 1, 3, 7 seconds: they see a slow "
        "server, not a refusing one (RFC 9293 §3.8.3, R1 and R2 for SYNs).\n\n"
        "For LISTEN, ss shows in Recv-Q how many wait and in Send-Q the limit. The fix is to accept faster: more "
        "workers, no work between listen and accept. A larger backlog only makes the wait longer; "
        "tcp_abort_on_overflow resets instead, which tells clients at once and takes away their second chance."
    ),
    run=_run,
    spoiled="the backlog is as large as the crowd",
)
