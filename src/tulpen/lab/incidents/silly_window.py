"""silly-window: a receiver that reads a little at a time (RFC 9293 §3.8.6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.show.ladder import Arrow, Side
from tulpen.sim.filters import Delay

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 1_000_000  # nanoseconds one way
TEXT = bytes(40_000)
SIP = 200  # octets read at a time
BUFFER = 8192  # SO_RCVBUF


def _run(lab: Lab) -> None:
    with lab.ground() as ground:
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
        client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
        most = 100 if lab.spoiled else 1448
        door = server.listen(80, so_rcvbuf=BUFFER)
        ours = client.connect(server.address, door.port, tcp_maxseg=most)
        theirs = lab.accept(ground, door)
        lab.say(f"The client sends {len(TEXT):,} octets; the server reads {SIP} at a time, every 2 ms.")
        left, got = TEXT[ours.send(TEXT) :], 0
        for _ in range(4 * len(TEXT) // SIP):
            ground.run(0.002)
            left = left[ours.send(left) :] if left else left
            got += len(theirs.receive(SIP))
            if got >= len(TEXT):
                break
        sizes = [
            rung.length for rung in ground.ladder().rungs
            if isinstance(rung, Arrow) and rung.sender is Side.LEFT and rung.length
        ]  # fmt: skip
        mean = sum(sizes) / max(len(sizes), 1)
        lab.claim("all octets arrive", got >= len(TEXT), f"{got:,}")
        small = sum(size <= SIP for size in sizes)
        lab.claim(
            f"hardly a segment is as small as what is read, {SIP} octets", small <= len(sizes) / 10, f"{small} are"
        )
        lab.claim("segments stay large: half a full one and more on the average", mean > 730, f"{mean:,.0f} octets")
        lab.measured("Segments with text", ("segments", "least", "mean", "most"),
                     [(len(sizes), min(sizes), round(mean), max(sizes))])  # fmt: skip
        lab.plot("Octets in each segment", "segment", "octets", {"segments": [
            (float(number), float(size)) for number, size in enumerate(sizes)]})  # fmt: skip
        lab.draw(ground, "The window opens in steps that are worth a segment")


INCIDENT = Incident(
    name="silly-window",
    summary="A receiver that reads 200 octets at a time, and why the segments stay large all the same.",
    theory=(
        "If a receiver told of every few octets of room, and a sender filled them at once, a connection would end up "
        "with segments of a few octets and forty octets of header each, for good: the silly window syndrome (RFC "
        "813). Both ends avoid it. The receiver moves the window on only when that is worth a segment, or half its "
        "buffer (RFC 9293 §3.8.6.2.2, MUST-39); the sender waits for room for a whole one (§3.8.6.2.1, MUST-38)."
    ),
    run=_run,
    spoiled="the client's segments are held down to 100 octets",
)
