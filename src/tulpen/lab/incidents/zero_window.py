"""zero-window: a receiver that does not read (RFC 9293 §3.8.6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.sim.filters import Chain, Delay, Switch
from tulpen.tcp.state import ESTABLISHED

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Line

TRIP = 1_000_000  # nanoseconds one way
BUFFER = 8192  # SO_RCVBUF
TEXT = bytes(200_000)


def _run(lab: Lab) -> None:
    with lab.ground() as ground:
        path = Switch()
        server = ground.machine("server", "192.0.2.1", out=Chain(path, Delay(TRIP)))
        client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
        door = server.listen(80, so_rcvbuf=BUFFER)
        ours, theirs = lab.joined(ground, client, server, door)
        lab.say("The client sends 200 kB. The server's program does not read.")
        left = TEXT[ours.send(TEXT) :]
        ground.run(2)
        held = theirs.readable
        if lab.spoiled:
            theirs.receive(1 << 20)
        lab.look(server, ESTABLISHED, note="Recv-Q: who does not read. Send-Q of the other end: who has to wait.")
        lab.look(client, ESTABLISHED)
        ground.run(0.5)
        stuck = theirs.readable == held
        lab.claim("the window is closed: nothing more comes", stuck, f"{theirs.readable:,} octets wait")
        lab.claim("the client's octets wait at its end", ours.unsent > 0, f"{ours.unsent:,} octets")
        lab.fact("while it is closed", ours.state)
        lab.consult(client, ground)
        hours = 3600 * 3 if lab.virtual else 1
        ground.run(hours)
        lab.claim("window probes keep the connection alive, for ever", ours.state is ESTABLISHED, f"after {hours:,} s")
        lab.say("The server reads; and the ACK that opens the window is lost.")
        path.on = False
        got = len(theirs.receive(1 << 20))
        ground.run(0.05)
        path.on = True
        lab.say("The next probe finds the window open.")
        rest = len(TEXT) - got

        def flows() -> bool:
            nonlocal left, rest
            left = left[ours.send(left) :] if left else left
            rest -= len(theirs.receive(1 << 20))
            return rest <= 0

        whole = ground.until(flows, 200)
        lab.claim("all octets arrive", whole, f"{len(TEXT) - rest:,} of {len(TEXT):,}")
        lab.draw(ground, "A closed window, probes, and the window opened again")
        _close(ground, ours, theirs)


def _close(ground: Ground, ours: Line, theirs: Line) -> None:
    ours.close()
    ground.until(lambda: theirs.eof, 3)
    theirs.close()


INCIDENT = Incident(
    name="zero-window",
    summary="A receiver that does not read: its window closes, the sender waits and probes, and for how long.",
    theory=(
        "The receive window is the room in the receiver's buffer (RFC 9293 §3.8.6). A program that does not read lets "
        "it fall to zero; the sender must stop, and must go on to probe, because the ACK that opens the window "
        "carries no data and is not sent again if it is lost (§3.8.6.1, MUST-36). As long as the probes are answered "
        "the connection must stay open (MUST-37), for days: only a user timeout of the sender ends it.\n\n"
        "The state says nothing: both ends are ESTABLISHED. Recv-Q names the end that does not read, Send-Q the end "
        "that waits."
    ),
    run=_run,
    spoiled="the server reads",
)
