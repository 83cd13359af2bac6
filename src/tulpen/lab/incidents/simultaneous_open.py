"""simultaneous-open: both ends connect, and their SYNs cross (RFC 9293 §3.5, Figure 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.lab.rows import titles
from tulpen.sim.filters import Delay
from tulpen.tcp.state import CLOSED, ESTABLISHED

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 20_000_000  # nanoseconds one way


def _run(lab: Lab) -> None:
    with lab.ground() as ground:
        left = ground.machine("left", "192.0.2.1", out=Delay(TRIP))
        right = ground.machine("right", "192.0.2.2", out=Delay(TRIP))
        lab.say("Nobody listens. Both connect, from port 7000 to port 7001 and back, at the same moment.")
        mine = left.connect(right.address, 7001, local_port=7000)
        if lab.spoiled:
            ground.run(1)  # the SYN has met a closed port
        other = right.connect(left.address, 7000, local_port=7001)
        both = ground.until(lambda: mine.state is ESTABLISHED and other.state is ESTABLISHED, 3)
        lab.claim("one connection, open at both ends", both, titles((mine.state, other.state)))
        if mine.state is not CLOSED:
            mine.send(b"hello")
        came = ground.until(lambda: other.readable == 5, 2)
        lab.claim("it carries text", came)
        lab.look(left)
        lab.fact("both ends", titles((mine.state, other.state)))
        lab.fact("segments before the text", len(lab.segments(ground)) - 2)
        lab.draw(ground, "Two SYNs that cross open one connection")


INCIDENT = Incident(
    name="simultaneous-open",
    summary="Both ends connect at once, their SYNs cross, and one connection opens.",
    theory=(
        "An end in SYN-SENT that receives a SYN without an ACK is being called by the host it calls: it goes to SYN- "
        "RECEIVED and answers with a SYN,ACK (RFC 9293 §3.5, Figure 7; §3.10.7.3). No listener takes part. The result "
        "is one connection, not two, because both SYNs name the same two sockets. Programs that make their way "
        "through two NATs live on it (RFC 5382 REQ-2)."
    ),
    run=_run,
    spoiled="one end connects a second late, when the other's SYN has already met a closed port",
)
