"""rst: who resets, when, and the errno that each end gets (RFC 9293 §3.5.2, §3.10.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tulpen.lab.bench import error_name
from tulpen.lab.forge import segment
from tulpen.lab.incident import Incident
from tulpen.show.ladder import Arrow
from tulpen.sim.filters import Delay
from tulpen.tcp.state import CLOSED
from tulpen.wire.segment import RST

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Line, Machine

TRIP = 1_000_000  # nanoseconds one way

Way = Callable[["Lab", "Ground", "Machine", "Line", "Line"], None]


def _run(lab: Lab) -> None:
    rows = [("closed port", "the client's SYN", _closed_port(lab), "")]
    for title, reset_by, way in WAYS:
        with lab.ground() as ground:
            server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
            client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
            ours, theirs = lab.joined(ground, client, server, server.listen(80))
            lab.say(title)
            way(lab, ground, server, ours, theirs)
            ground.until(lambda ours=ours: ours.state is CLOSED, 2)  # type: ignore[misc]
            found = _error_of(ground, ours)
            lab.fact(f"{title}: the client gets", found)
            rows.append((title, reset_by, found, error_name(theirs.error)))
            lab.claim(f"{title}: the client is told", found not in ("none", ""), found)
            lab.draw(ground, title)
    lab.measured("Who resets, and what each end is told", ("way", "it answers", "client", "server"), rows)


def _closed_port(lab: Lab) -> str:
    with lab.ground() as ground:
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
        client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
        if lab.spoiled:
            server.listen(81)
        lab.say("a closed port")
        line = client.connect(server.address, 81)
        ground.until(lambda: line.state is CLOSED, 3)
        found = error_name(line.error)
        lab.claim("a closed port refuses", found == "ECONNREFUSED", found)
        lab.fact("a closed port: the client gets", found)
        lab.draw(ground, "A closed port answers a SYN with RST,ACK")
        return found


def _linger(lab: Lab, ground: Ground, server: Machine, ours: Line, theirs: Line) -> None:
    theirs.abort()


def _unread(lab: Lab, ground: Ground, server: Machine, ours: Line, theirs: Line) -> None:
    ours.send(b"nobody reads this")
    ground.until(lambda: theirs.readable > 0, 3)
    theirs.close()


def _half_closed(lab: Lab, ground: Ground, server: Machine, ours: Line, theirs: Line) -> None:
    theirs.close()
    ground.until(lambda: ours.eof, 3)
    ours.send(b"to somebody who has gone")


def _firewall(lab: Lab, ground: Ground, server: Machine, ours: Line, theirs: Line) -> None:
    """A box between them that forges one RST each way, with the numbers that it has seen."""
    ground.run(0.01)
    arrows = [rung for rung in ground.ladder().rungs if isinstance(rung, Arrow)]
    last = arrows[-1]
    for name, seq in ((theirs.name, last.ack), (ours.name, last.seq)):
        ground.inject(segment(name, RST, seq))


def _reboot(lab: Lab, ground: Ground, server: Machine, ours: Line, theirs: Line) -> None:
    server.reboot()
    ground.run(0.05)
    ours.send(b"are you still there?")


WAYS: tuple[tuple[str, str, Way], ...] = (
    ("close() with SO_LINGER 0", "nothing", _linger),
    ("close() with unread data", "nothing", _unread),
    ("data for an end that has closed", "the data", _half_closed),
    ("a firewall's reset, to both ends", "nothing", _firewall),
    ("the other machine has rebooted", "the data", _reboot),
)


def _error_of(ground: Ground, line: Line) -> str:
    """Return what the program learns, which reads and then writes."""
    if line.error:
        return error_name(line.error)
    try:
        line.receive()
    except OSError as error:
        return error_name(error.errno or 0)
    return error_name(line.error)


INCIDENT = Incident(
    name="rst",
    summary="Six ways to be reset, who sends the RST, and the errno that each end gets.",
    theory=(
        "A RST says that a segment belongs to no connection that its sender knows, or that its sender does not want "
        "the connection any more (RFC 9293 §3.5.2). A closed port answers a SYN with one: ECONNREFUSED. close() with "
        "SO_LINGER 0, or with data unread (RFC 2525 §2.17), sends one instead of a FIN: ECONNRESET. Data for an end "
        "whose program has closed is answered with one, too (RFC 9293 §3.6.1), and a machine that has rebooted "
        "answers whatever it does not remember. A firewall sends them in both names.\n\n"
        "A RST on a connection that the peer has already closed is told as EPIPE, others as ECONNRESET."
    ),
    run=_run,
    spoiled="something listens on the port that should be closed",
)
