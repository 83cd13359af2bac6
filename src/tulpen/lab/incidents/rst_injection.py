"""rst-injection: forged resets and data, by a blind attacker and by one on the path (RFC 5961)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.forge import Memory, segment
from tulpen.lab.ground import Backend
from tulpen.lab.incident import Incident
from tulpen.sim.filters import Chain, Delay
from tulpen.tcp.state import CLOSED, ESTABLISHED
from tulpen.wire.segment import ACK, PSH, RST

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Line

TRIP = 1_000_000  # nanoseconds one way
INSIDE = 1000  # octets beyond RCV.NXT: in the window, and not the next


def _run(lab: Lab) -> None:
    rows = [
        _reset(lab, "a RST outside the window", -100_000, survives=True),
        _reset(lab, "a RST in the window (RFC 5961)", INSIDE, survives=True),
        _reset(lab, "a RST at RCV.NXT exactly: an attacker on the path", 0, survives=False),
    ]
    if lab.backend is not Backend.KERNEL:
        rows.append(_reset(lab, "a RST in the window, before RFC 5961", INSIDE, survives=False, old=True))
    rows += [
        _data(lab, "data at the right place, with a guessed ACK number", ack=1 << 30, timestamps=0, taken=False),
        _data(lab, "data with both numbers right, timestamps off", ack=0, timestamps=0, taken=True),
        _data(
            lab, "data with both numbers right, without the timestamp that was agreed", ack=0, timestamps=1, taken=None
        ),
    ]
    lab.measured("What is forged, and what becomes of it", ("forged", "then", "guesses it takes, 64 KiB window"), rows)


def _scene(lab: Lab, ground: Ground, **settings: int) -> tuple[Line, Line, Memory]:
    seen = Memory()
    server = ground.machine("server", "192.0.2.1", out=Delay(TRIP), **settings)  # type: ignore[arg-type]
    client = ground.machine("client", "192.0.2.2", out=Chain(seen, Delay(TRIP)), **settings)  # type: ignore[arg-type]
    ours, theirs = lab.joined(ground, client, server, server.listen(80))
    ours.send(b"hello")
    ground.until(lambda: theirs.readable == 5, 3)
    theirs.receive()
    ground.run(0.1)
    return ours, theirs, seen


def _reset(lab: Lab, title: str, offset: int, *, survives: bool, old: bool = False) -> tuple[object, ...]:
    with lab.ground() as ground:
        settings = {"tcp_insecure_rst": 1} if old else {}
        ours, theirs, seen = _scene(lab, ground, **settings)
        lab.say(f"{title}, in the client's name.")
        last = seen.segments[-1]
        where = last.seq + last.len + (0 if lab.spoiled and survives else offset)
        ground.inject(segment(ours.name, RST, where))
        ground.run(0.1)
        state = theirs.state
        lab.claim(f"{title}: {'the connection lives' if survives else 'the connection is gone'}",
                  (state is ESTABLISHED) == survives and (survives or state is CLOSED), state.title)  # fmt: skip
        lab.fact(title, state)
        lab.draw(ground, title)
        guesses = {INSIDE: 65_536 if old else "a challenge ACK each", 0: "none: it has seen the numbers"}.get(
            offset, ""
        )
        return (title, state.title, guesses)


def _data(lab: Lab, title: str, *, ack: int, timestamps: int, taken: bool | None) -> tuple[object, ...]:
    with lab.ground() as ground:
        ours, theirs, seen = _scene(lab, ground, tcp_timestamps=timestamps)
        lab.say(f"{title}, in the client's name.")
        last = seen.segments[-1]
        forged = segment(ours.name, PSH | ACK, last.seq + last.len, last.ack - ack, data=b"rm -rf /")
        ground.inject(forged)
        ground.run(0.1)
        got = theirs.readable
        if taken is not None:
            lab.claim(f"{title}: {'taken' if taken else 'dropped'}", bool(got) == taken, f"{got} octets")
        lab.fact(title, "taken" if got else "dropped")
        return (title, "taken" if got else "dropped", "65,536 * 2" if ack else "none")


INCIDENT = Incident(
    name="rst-injection",
    summary="Forged resets and forged data: what a blind attacker has to guess, and what one on the path needs not.",
    theory=(
        "Whoever knows both sockets can forge segments. Before RFC 5961 any RST in the receive window reset the "
        "connection: with 64 KiB of window, 2^32 / 2^16 = 65,536 guesses. Since then only a RST at RCV.NXT does; one "
        "elsewhere in the window is answered with a challenge ACK, which the true peer, if it has reset, answers with "
        "the right one (RFC 5961 §3.2): 2^32 guesses. A SYN likewise (§4.2).\n\n"
        "Data needs an acceptable ACK number as well (§5.2), and, where timestamps were agreed, one that is not older "
        "than the last (RFC 7323 §5). An attacker on the path sees all of them: against that only signatures help "
        "(TCP-AO, RFC 5925) or encryption."
    ),
    run=_run,
    spoiled="the attacker has seen the numbers",
)
