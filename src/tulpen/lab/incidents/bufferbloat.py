"""bufferbloat: a queue that never says no (RFC 7567)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.sim.filters import Chain, Delay
from tulpen.sim.rate import Rate

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 10_000_000  # nanoseconds one way
BITS = 10_000_000  # a second
SMALL, LARGE = 40_000, 400_000  # octets of queue
SECONDS = 2.0
ROOM = 200_000  # SO_RCVBUF: the receiver shall not be what holds the sender back
CHUNK = bytes(60_000)


def _run(lab: Lab) -> None:
    rows, curves = [], {}
    for title, queue in (("a small queue", SMALL), ("a large queue", SMALL if lab.spoiled else LARGE)):
        with lab.ground(watch=False) as ground:
            link = Rate(BITS, octets=queue)
            server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
            client = ground.machine("client", "192.0.2.2", out=Chain(link, Delay(TRIP)))
            door = server.listen(80, so_rcvbuf=ROOM)
            ours = client.connect(server.address, 80, tcp_congestion="reno")
            theirs = lab.accept(ground, door)
            lab.say(f"{title} of {queue:,} octets before a link of 10 Mbit/s: one bulk transfer for {SECONDS} s.")
            got, curve, end = 0, [], ground.seconds + SECONDS
            while ground.seconds < end:
                ours.send(CHUNK)
                ground.run(0.02)
                got += len(theirs.receive(1 << 20))
                curve.append((ground.seconds, ours.measure()["rtt"] / 1000))
            usual = sorted(rtt for _, rtt in curve)[len(curve) // 2]
            rows.append((title, round(got * 8 / SECONDS / 1e6, 1), round(usual), link.longest, link.dropped))
            curves[title] = curve
    small, large = (row[2] for row in rows)
    waits = rows[1][3]
    lab.claim("what waits in the large queue is more than the small one holds", waits > 2 * SMALL, f"{waits:,} octets")
    if lab.virtual:  # a busy machine has delays of its own
        lab.claim("it lengthens every round trip several times", large > 2 * small, f"{small} and {large} ms")
        carried = rows[0][1], rows[1][1]
        lab.claim("and carries hardly more", carried[1] < 1.2 * carried[0], f"{carried[0]} and {carried[1]} Mbit/s")
    lab.measured("The same transfer", ("", "Mbit/s", "usual round trip, ms", "octets queued", "packets dropped"), rows)
    lab.plot("Round trip, as the sender measures it", "seconds", "milliseconds", curves)


INCIDENT = Incident(
    name="bufferbloat",
    summary="A queue that never says no: the link is as full as before, and every round trip ten times as long.",
    theory=(
        "A congestion control that goes by loss fills whatever queue there is before the slowest link, for only a "
        "full queue loses (RFC 5681 §3.1). A queue larger than the path's own content adds delay and nothing else: "
        "everybody's packets wait in it (RFC 7567 §1.2).\n\n"
        "The fix is in the queue: a small one, or one that is managed (CoDel, FQ-CoDel: RFC 8289, RFC 8290), or marks "
        "instead of losses (ECN, RFC 3168)."
    ),
    run=_run,
    spoiled="both queues are small",
)
