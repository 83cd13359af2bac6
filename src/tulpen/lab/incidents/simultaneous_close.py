"""simultaneous-close: both ends close, and their FINs cross (RFC 9293 §3.6, Figure 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.lab.rows import titles
from tulpen.sim.filters import Delay
from tulpen.tcp.state import CLOSING, ESTABLISHED, FIN_WAIT_1, TIME_WAIT

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 50_000_000  # nanoseconds one way


def _run(lab: Lab) -> None:
    with lab.ground() as ground:
        left = ground.machine("left", "192.0.2.1", out=Delay(TRIP))
        right = ground.machine("right", "192.0.2.2", out=Delay(TRIP))
        mine, other = lab.joined(ground, left, right, right.listen(80))
        ground.until(lambda: other.state is ESTABLISHED, 3)
        lab.say("Both close at the same moment: the FINs cross on the way.")
        mine.close()
        if lab.spoiled:
            ground.run(1)
        other.close()
        now = (mine.state, other.state)
        lab.claim("both are in FIN-WAIT-1, each with its FIN on the way", now == (FIN_WAIT_1, FIN_WAIT_1), titles(now))
        closing = ground.until(lambda: CLOSING in (mine.state, other.state), 2)
        lab.claim("a FIN that comes before the ACK of ours leads to CLOSING", closing)
        ground.until(lambda: mine.state is TIME_WAIT and other.state is TIME_WAIT, 3)
        last = (mine.state, other.state)
        lab.claim("both ends wait in TIME-WAIT", last == (TIME_WAIT, TIME_WAIT), titles(last))
        lab.look(left, TIME_WAIT)
        lab.look(right, TIME_WAIT)
        lab.fact("both ends' last states", titles(last))
        lab.draw(ground, "Two FINs that cross: CLOSING, and TIME-WAIT at both ends")


INCIDENT = Incident(
    name="simultaneous-close",
    summary="Both ends close at once, their FINs cross, and both end in TIME-WAIT.",
    theory=(
        "An end in FIN-WAIT-1 whose FIN is not acknowledged yet, and that receives one, goes to CLOSING: what it "
        "still waits for is the ACK of its own FIN. When that comes it enters TIME-WAIT (RFC 9293 §3.6, Figure 13; "
        "§3.10.7.4). Neither end is the first to have closed, so both pay for it with 2 MSL."
    ),
    run=_run,
    spoiled="one end closes a second after the other",
)
