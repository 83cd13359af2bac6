"""close: each direction ends for itself, in four segments or in three (RFC 9293 §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.lab.rows import titles
from tulpen.sim.filters import Delay
from tulpen.tcp.state import CLOSE_WAIT, CLOSED, FIN_WAIT_2, TIME_WAIT

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Line, Machine

TRIP = 10_000_000  # nanoseconds one way
AFTER_THE_HANDSHAKE = 3  # segments


def _run(lab: Lab) -> None:
    _four(lab)
    _three(lab)
    _half(lab)


def _pair(lab: Lab, ground: Ground) -> tuple[Machine, Machine, Line, Line]:
    server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
    client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
    return server, client, *lab.joined(ground, client, server, server.listen(80))


def _four(lab: Lab) -> None:
    with lab.ground() as ground:
        server, client, ours, theirs = _pair(lab, ground)
        lab.say("Four-way: the client closes; the server sees the end of the stream, and closes a little later.")
        (theirs if lab.spoiled else ours).shutdown()
        lab.become(ground, theirs, CLOSE_WAIT, 3)
        ground.run(0.2)
        lab.claim(
            "who closed first waits in FIN-WAIT-2 for the other's FIN", ours.state is FIN_WAIT_2, ours.state.title
        )
        lab.claim("the other is in CLOSE-WAIT until it closes", theirs.state is CLOSE_WAIT, theirs.state.title)
        lab.look(server, CLOSE_WAIT)
        theirs.close()
        ours.close()
        lab.become(ground, ours, TIME_WAIT, 3)
        lab.become(ground, theirs, CLOSED, 3)
        last = (ours.state, theirs.state)
        lab.claim("who closed first ends in TIME-WAIT, the other in CLOSED", last == (TIME_WAIT, CLOSED), titles(last))
        lab.look(client, TIME_WAIT)
        lab.fact("four-way: both ends' last states", titles((ours.state, theirs.state)))
        lab.fact("four-way: segments", " ".join(lab.segments(ground)[AFTER_THE_HANDSHAKE:]))
        lab.draw(ground, "Four-way: two FINs, two ACKs")


def _three(lab: Lab) -> None:
    with lab.ground() as ground:
        _, _, ours, theirs = _pair(lab, ground)
        lab.say("Three-way: the server closes as soon as it has read the end, and its FIN takes the ACK along.")
        ours.send(b"question")
        ground.until(lambda: theirs.readable > 0, 3)
        theirs.receive()
        theirs.send(b"answer")
        ground.until(lambda: ours.readable > 0, 3)
        ours.receive()
        ground.run(0.1)  # the answer is acknowledged
        before = len(lab.segments(ground))
        ours.shutdown()
        ground.until(lambda: theirs.eof, 3)
        theirs.close()
        ours.close()
        lab.become(ground, theirs, CLOSED, 3)
        lab.fact("three-way: segments", " ".join(lab.segments(ground)[before:]))
        lab.fact("three-way: both ends' last states", titles((ours.state, theirs.state)))
        lab.draw(ground, "Three-way: where nothing is left to send, the second FIN follows at once")


def _half(lab: Lab) -> None:
    with lab.ground() as ground:
        _, _, ours, theirs = _pair(lab, ground)
        lab.say("Half-close: the client has said all that it will say, and still listens (shutdown, SHUT_WR).")
        ours.send(b"sort this")
        ours.shutdown()
        ground.until(lambda: theirs.readable > 0, 3)
        theirs.receive()
        lab.become(ground, ours, FIN_WAIT_2, 3)
        theirs.send(b"this sort")
        came = ground.until(lambda: ours.readable == len(b"this sort"), 3)
        lab.claim("text goes on arriving at an end in FIN-WAIT-2", came and ours.state is FIN_WAIT_2, ours.state.title)
        lab.fact("half-close: octets that came after the FIN", ours.readable)
        ours.receive()
        theirs.close()
        lab.become(ground, ours, TIME_WAIT, 3)
        ours.close()
        lab.draw(ground, "Half-close: one direction ends, the other goes on")


INCIDENT = Incident(
    name="close",
    summary="How a connection ends: four segments, three, or one direction long before the other.",
    theory=(
        "Each direction is closed for itself: CLOSE means I have no more to send, and what the other end still sends "
        "is received until it says the same (RFC 9293 §3.6).\n\n"
        "Who closes first sends FIN (FIN-WAIT-1), has it acknowledged (FIN-WAIT-2), gets the other's FIN and "
        "acknowledges that: TIME-WAIT, for 2 MSL, because its last ACK may be lost. The other goes from CLOSE-WAIT to "
        "LAST-ACK as its program closes, and from there to CLOSED (RFC 9293 §3.6, Figure 12). So TIME-WAIT is always "
        "with the end that closed first, and CLOSE-WAIT always waits for a program."
    ),
    run=_run,
    spoiled="the server closes first",
)
