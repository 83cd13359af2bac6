"""handshake: three segments, and both ends agree on both initial sequence numbers (RFC 9293 §3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.sim.filters import Delay, Only, drop, flags
from tulpen.tcp.state import ESTABLISHED
from tulpen.wire.segment import ACK, SYN

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 10_000_000  # nanoseconds one way


def _run(lab: Lab) -> None:
    with lab.ground() as ground:
        lost = Only(flags(SYN | ACK), drop) if lab.spoiled else Delay(TRIP)
        server = ground.machine("server", "192.0.2.1", out=lost)
        client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
        door = server.listen(80)
        lab.say("The server listens on port 80; the client connects.")
        ours = client.connect(server.address, 80)
        lab.fact("the client after its SYN", ours.state)
        opened = ground.until(lambda: ours.state is ESTABLISHED, 3)
        lab.claim("the client is ESTABLISHED once the SYN,ACK has come", opened, ours.state.title)
        ground.until(lambda: door.waiting == 1, 3)
        lab.look(server)
        theirs = door.accept()
        lab.claim("the server has a connection to accept", theirs is not None)
        if theirs is not None:
            lab.fact("the server once it has accepted", theirs.state)
        lab.draw(ground, "Three segments; each SYN takes one sequence number")
        took = lab.segments(ground)
        lab.fact("segments", took)
        lab.claim("three segments opened it: SYN, SYN,ACK, ACK", took == ("S", "S.", "."), " ".join(took))
        ours.close()


INCIDENT = Incident(
    name="handshake",
    summary="How a connection opens: three segments, and both ends agree on both sequence numbers.",
    theory=(
        "An initial sequence number is only of use if the other end knows it, so each end sends its own in a SYN and "
        "each SYN is acknowledged: four messages, of which the middle two fit in one segment (RFC 9293 §3.5).\n\n"
        "The client is in SYN-SENT until the SYN,ACK comes; the server in SYN-RECEIVED until its own SYN is "
        "acknowledged. With two segments only, an old duplicate SYN would open a connection that nobody wants: the "
        "third lets the client refuse it (RFC 9293 §3.5, Figure 8)."
    ),
    run=_run,
    spoiled="the SYN,ACK never arrives",
)
