"""What must hold of two ends, whatever the network does.

In every state: what one end has read is what the other has written, no more, and all of
it once the end of it is told.  And from every state there is a way on to the end.
"""

from __future__ import annotations

from collections.abc import Callable

from tulpen.prove.end import Facts
from tulpen.prove.pair import Pair, World
from tulpen.tcp.state import CLOSED

Property = Callable[[World], str | None]


def nothing_lost_or_invented(pair: Pair) -> Property:
    """No end reads more than was written, nor is told of the end before all of it is read."""

    def check(world: World) -> str | None:
        a, b = pair.a.facts(world.a), pair.b.facts(world.b)
        return _complaint(pair.a.end.name, a, b) or _complaint(pair.b.end.name, b, a)

    return check


def _complaint(name: str, reader: Facts, writer: Facts) -> str | None:
    if reader.read > writer.written:
        return f"{name} read {reader.read} octets of {writer.written} written"
    if reader.eof and reader.read < writer.written:
        return f"{name} was told of the end after {reader.read} octets of {writer.written} written"
    return None


def over(pair: Pair) -> Callable[[World], bool]:
    """Both ends are CLOSED."""

    def check(world: World) -> bool:
        return pair.a.facts(world.a).state is CLOSED and pair.b.facts(world.b).state is CLOSED

    return check


def _harmed(end: Facts) -> bool:
    return end.aborted or end.refused or end.objected or end.error != 0


def unharmed(pair: Pair) -> Callable[[World], bool]:
    """Neither user has aborted, neither end has met an error or sent a RST."""

    def check(world: World) -> bool:
        return not (_harmed(pair.a.facts(world.a)) or _harmed(pair.b.facts(world.b)))

    return check


def no_needless_reset(pair: Pair) -> Property:
    """An end that is open sends no RST to a peer that has done nothing to deserve it."""

    def check(world: World) -> str | None:
        a, b = pair.a.facts(world.a), pair.b.facts(world.b)
        return _needless(pair.a.end.name, a, b) or _needless(pair.b.end.name, b, a)

    return check


def _needless(name: str, end: Facts, peer: Facts) -> str | None:
    if end.objected and not (end.aborted or end.error or _harmed(peer)):
        return f"{name} sent a RST although both ends are open and nobody has aborted"
    return None
