"""What must hold of two ends, whatever the network does.

In every state: what one end has read is what the other has written on the same
connection, no more, and all of it once the end of it is told; both ends agree on what
connection it is; and no end that is open sends a RST without cause.  And from every
state there is a way on to the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from tulpen.prove.end import Facts
from tulpen.prove.pair import Pair, World
from tulpen.tcp.state import CLOSED, ESTABLISHED, LISTEN
from tulpen.wire.seq import wrap

T = TypeVar("T")
Property = Callable[[World], str | None]


def nothing_lost_or_invented(pair: Pair) -> Property:
    """No end reads more than was written, nor is told of the end before all of it is read."""

    def check(a: Facts, b: Facts) -> str | None:
        if a.irs != wrap(pair.b.end.isses[b.life]) or b.irs != wrap(pair.a.end.isses[a.life]):
            return None  # not on the same connection; what may be read is known by the engine's runs
        return _misread(pair.a.end.name, a, b) or _misread(pair.b.end.name, b, a)

    return _of_ends(pair, check)


def within_the_window(pair: Pair) -> Property:
    """No end sends text beyond the right edge of every window that the other has told (§3.8.6)."""

    def check(a: Facts, b: Facts) -> str | None:
        if a.irs != wrap(pair.b.end.isses[b.life]) or b.irs != wrap(pair.a.end.isses[a.life]):
            return None
        for end, sender, receiver in ((pair.a.end, a, b), (pair.b.end, b, a)):
            if sender.reached > receiver.offered:
                return f"{end.name} sent text up to {sender.reached}, and was offered {receiver.offered}"
        return None

    return _of_ends(pair, check)


def agreement(pair: Pair) -> Property:
    """Ends that are both ESTABLISHED know each other's initial sequence number."""

    def check(a: Facts, b: Facts) -> str | None:
        if a.state is not ESTABLISHED or b.state is not ESTABLISHED:
            return None
        if a.irs == wrap(pair.b.end.isses[b.life]) and b.irs == wrap(pair.a.end.isses[a.life]):
            return None
        return "both ends are ESTABLISHED, and not with each other"

    return _of_ends(pair, check)


def somebody_waits(pair: Pair) -> Property:
    """Of two ends that have closed in order one at least has been in TIME-WAIT (RFC 9293 §3.6)."""

    def check(a: Facts, b: Facts) -> str | None:
        for facts in (a, b):
            if facts.state is not CLOSED or not (facts.eof and facts.closed) or facts.error or facts.aborted:
                return None
        return None if a.waited or b.waited else "both ends are CLOSED, and neither has been in TIME-WAIT"

    return _of_ends(pair, check)


def no_needless_reset(pair: Pair) -> Property:
    """An end that is open sends no RST to a peer that has done nothing to deserve it."""

    def check(a: Facts, b: Facts) -> str | None:
        return _needless(pair.a.end.name, a, b) or _needless(pair.b.end.name, b, a)

    return _of_ends(pair, check)


def unbroken(pair: Pair) -> Property:
    """No end meets an error before both have said and heard all."""

    def check(a: Facts, b: Facts) -> str | None:
        for end, facts in ((pair.a.end, a), (pair.b.end, b)):
            if _broken(facts):
                return f"{end.name} is told {os.strerror(facts.error)!r}"
        return None

    return _of_ends(pair, check)


def over(pair: Pair) -> Callable[[World], bool]:
    """Both ends are CLOSED, or listen as they did when it began."""

    def check(a: Facts, b: Facts) -> bool:
        return all(
            facts.state is CLOSED or (facts.state is LISTEN and end.program.ready)
            for end, facts in ((pair.a.end, a), (pair.b.end, b))
        )

    return _of_ends(pair, check)


def unharmed(pair: Pair) -> Callable[[World], bool]:
    """Neither user has aborted, neither end has sent a RST, or met an error before both had said and heard all."""
    return _of_ends(pair, lambda a, b: not (_harmed(a) or _harmed(b)))


def _of_ends(pair: Pair, judge: Callable[[Facts, Facts], T]) -> Callable[[World], T]:
    """Ask ``judge`` once for each pair of nodes: many states differ only in what is under way."""
    known: dict[tuple[int, int], T] = {}

    def check(world: World) -> T:
        ends = world[:2]
        if ends not in known:
            known[ends] = judge(*pair.facts(world))
        return known[ends]

    return check


def _misread(name: str, reader: Facts, writer: Facts) -> str | None:
    if reader.read > writer.written:
        return f"{name} read {reader.read} octets of {writer.written} written"
    if reader.eof and reader.read < writer.written:
        return f"{name} was told of the end after {reader.read} octets of {writer.written} written"
    return None


def _needless(name: str, end: Facts, peer: Facts) -> str | None:
    if end.objected and not (end.aborted or end.error or _harmed(peer)):
        return f"{name} sent a RST although both ends are open and nobody has aborted"
    return None


def _harmed(end: Facts) -> bool:
    return end.aborted or end.refused or end.objected or _broken(end)


def _broken(end: Facts) -> bool:
    """An error is no harm where both FINs have been: whose last ACK is lost for 2 MSL meets a RST (§3.6)."""
    return end.error != 0 and not (end.eof and end.closed)
