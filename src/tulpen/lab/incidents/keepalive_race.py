"""keepalive-race: a FIN crosses the next request (RFC 9112 §9.5, RFC 9293 §3.6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.sim.filters import Delay

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Door, Machine

TRIP = 0.005  # seconds one way
STEP = 0.0005  # seconds; in real time a clock is not that exact
ANSWERED, LOST, KNOWN = "answered", "lost", "known to be closed"


def _run(lab: Lab) -> None:
    step = STEP if lab.virtual else 4 * TRIP
    steps = round(4 * TRIP / step)
    offsets = [number * step for number in range(-steps, steps + 1)]
    with lab.ground(watch=False) as ground:
        server = ground.machine("server", "192.0.2.1", out=Delay(round(TRIP * 1e9)))
        client = ground.machine("client", "192.0.2.2", out=Delay(round(TRIP * 1e9)))
        door = server.listen(80)
        lab.say("The server closes an idle connection at 0; the client's next request sets out earlier, then, later.")
        found = {offset: _request(lab, ground, client, server, door, offset) for offset in offsets}
    lost = [offset for offset, what in found.items() if what == LOST]
    rows = [(round(1e6 * offset), what) for offset, what in found.items()]
    lab.measured("One way takes 5,000 microseconds", ("request sent at, microseconds", "the request is"), rows)
    lab.plot("The race", "request sent, microseconds after the server's FIN", "lost", {
        "lost": [(1e6 * offset, float(what == LOST)) for offset, what in found.items()]}, steps=True)  # fmt: skip
    lab.claim("a request that crosses the FIN is lost", 0.0 in lost, found[0.0])
    lab.claim("one that comes in time is answered", found[offsets[0]] == ANSWERED, found[offsets[0]])
    lab.claim("one that is asked later finds the connection closed", found[offsets[-1]] == KNOWN, found[offsets[-1]])
    lab.fact("a request at the moment of the FIN", found[0.0])
    if lab.virtual:
        width = len(lost) * step
        lab.claim("the race is lost during one round trip", abs(width - 2 * TRIP) <= 2 * step, f"{1e6 * width:,.0f} us")


def _request(lab: Lab, ground: Ground, client: Machine, server: Machine, door: Door, offset: float) -> str:
    """Return what becomes of a request that sets out ``offset`` seconds after the server has closed."""
    ours, theirs = lab.joined(ground, client, server, door)
    ground.run(0.1)
    sent = False
    if offset < 0:
        ours.send(b"request")
        sent = True
        ground.run(-offset)
    if theirs.readable:
        theirs.receive()
        theirs.send(b"answer")
    if not lab.spoiled:
        theirs.close()
    if not sent:
        ground.run(offset)
        if ours.eof:
            ours.close()
            return KNOWN
        ours.send(b"request")
    ground.run(4 * TRIP + (0 if lab.virtual else 0.1))
    what = ANSWERED if ours.readable else LOST
    ours.abort()
    if lab.spoiled:
        what = ANSWERED if what == LOST else what
        theirs.close()
    return what


INCIDENT = Incident(
    name="keepalive-race",
    summary="The server's idle timer closes just as the next request sets out: a reset now and then.",
    theory=(
        "A server closes connections that have been idle for a while. A request that is under way when the FIN sets "
        "out finds a socket whose program has gone, and is answered with a RST (RFC 9293 §3.6.1): the client sees "
        "ECONNRESET, and cannot know whether the request was carried out. The race is lost by every request that sets "
        "out within one way before the FIN and one way after it: one round trip.\n\n"
        "It cannot be won by TCP. The fixes: the client's idle timer shorter than the server's (a proxy's shorter "
        "than its backend's), and a retry of what may be repeated (RFC 9110 §9.2.2, RFC 9112 §9.5)."
    ),
    run=_run,
    spoiled="the server never closes",
)
