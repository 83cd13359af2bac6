"""A connection at rest: open, with nothing on its way or waiting, and kept as octets until somebody wants it.

It is to its ``Tcb`` what a ``Request`` and a ``TimeWait`` are to theirs, except that nothing is left
out.  Every number of a TCB is compared with that of a pattern, a connection that came to rest
earlier, and those that differ are written down, each as the distance from whatever is nearest: the
pattern's own, SND.NXT, RCV.NXT, or the time of the last segment.  What is not a number (queues,
what is in flight, signals not told) is empty at rest, or keeps the connection awake.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import attrgetter
from struct import pack, unpack
from typing import Any, Final, final

from tulpen.tcp.attributes import attributes
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.option_sets import OptionSets
from tulpen.tcp.route import Route
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSE_WAIT, ESTABLISHED, State
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.trace import FourTuple

#: What the others are measured from; these come first, and are measured from the pattern.
BASES: Final = ("snd.nxt", "rcv.nxt", "intake.heard_at")
#: Not written: known without, kept beside the octets, or, as the last, made again when it is asked for.
KEPT: Final = frozenset({"stack", "name", "trace", "options", "state", "path.route", "flight.rate._moment"})
POSITION: Final = 10  # bits of a number's place; two more say its base, four how many octets it has
FLOAT: Final = 15  # instead of their count


@final
class Resting:
    """What stands for a connection meanwhile."""

    __slots__ = ("octets", "options", "pattern", "route", "state")

    def __init__(self, pattern: Pattern, octets: bytes, options: SocketOptions, route: Route, state: State) -> None:
        self.pattern = pattern
        self.octets = octets
        self.options = options  # shared by those that have the same
        self.route = route
        self.state = state


@final
class Pattern:
    """A connection at rest that others are compared with."""

    __slots__ = ("_all", "_fresh", "_names", "_owners", "_values")

    def __init__(self, tcb: Tcb, numbers: list[str], empty: list[str]) -> None:
        paths = [*BASES, *(path for path in numbers if path not in BASES)]
        self._names = [path.rpartition(".")[2] for path in paths]
        self._owners = [_getter(path.rpartition(".")[0]) for path in paths]
        self._all: Callable[[Tcb], tuple[Any, ...]] = attrgetter(*paths, *empty)
        self._fresh = tcb.clone(tcb.stack)
        self._values = self._all(tcb)[: len(paths)]

    def written(self, tcb: Tcb) -> bytes | None:
        """Return the octets of ``tcb``; None if something of it is no number."""
        found = self._all(tcb)
        count = len(self._values)
        if not all(each is None or each == [] for each in found[count:]):
            return None
        out = bytearray()
        bases = (0, found[0], found[1], found[2])
        for place, (value, usual) in enumerate(zip(found[:count], self._values, strict=True)):
            if value == usual:
                continue
            if not isinstance(value, int | float):
                return None
            if isinstance(value, float):
                out += (place | FLOAT << 12).to_bytes(2, "little") + pack("<d", value)
                continue
            if place < len(BASES):
                base, distance = 0, value - usual
            else:
                base, distance = min(enumerate((value - usual, *(value - each for each in bases[1:]))), key=_size)
            octets = (distance.bit_length() + 8) // 8 if distance else 0
            out += (place | base << POSITION | octets << 12).to_bytes(2, "little")
            out += distance.to_bytes(octets, "little", signed=True)
        return bytes(out)

    def read(self, octets: bytes, stack: Stack, name: FourTuple) -> Tcb:
        """Return the TCB that octets stand for."""
        tcb = self._fresh.clone(stack)
        tcb.name = name
        tcb.trace = stack.trace(name)
        found = {0: 0, **{number + 1: usual for number, usual in enumerate(self._values[: len(BASES)])}}
        at = 0
        while at < len(octets):
            head = int.from_bytes(octets[at : at + 2], "little")
            place, base, count = head & (1 << POSITION) - 1, head >> POSITION & 3, head >> 12
            usual = self._values[place]
            at += 2
            if count == FLOAT:
                value, count = unpack("<d", octets[at : at + 8])[0], 8
            else:
                distance = int.from_bytes(octets[at : at + count], "little", signed=True)
                value = distance + (found[base] if base else usual)
                if type(usual) is not int and not isinstance(usual, float):
                    value = type(usual)(value)  # a bool, or of an enumeration
            at += count
            if place < len(BASES):
                found[place + 1] = value
            setattr(self._owners[place](tcb), self._names[place], value)
        return tcb


@final
class Dormitory:
    """Puts connections of one host to rest, and wakes them."""

    __slots__ = ("_option_sets", "_patterns", "_stack")

    def __init__(self, stack: Stack, option_sets: OptionSets) -> None:
        self._stack = stack
        self._option_sets = option_sets
        self._patterns: dict[Hashable, Pattern] = {}  # by what parts a TCB has

    def rest(self, connection: Connection) -> Resting | None:
        """Return what stands for a connection at rest; None for one that is not."""
        tcb = connection.tcb
        if tcb.state is not ESTABLISHED and tcb.state is not CLOSE_WAIT:
            return None
        if tcb.ecn is not None or tcb.fast_open is not None or tcb.stamps is not None:
            return None
        parts = type(tcb.cc), tcb.rcv.memory is None
        pattern = self._patterns.get(parts)
        if pattern is None:
            numbers: list[str] = []
            empty: list[str] = []
            if not _members(tcb, "", numbers, empty):
                return None
            pattern = self._patterns[parts] = Pattern(tcb, numbers, empty)
        octets = pattern.written(tcb)
        if octets is None:
            return None
        return Resting(pattern, octets, self._option_sets.shared(tcb.options), tcb.path.route, tcb.state)

    def wake(self, resting: Resting, name: FourTuple) -> Connection:
        """Return the connection again; its options are shared still."""
        tcb = resting.pattern.read(resting.octets, self._stack, name)
        tcb.options = resting.options
        tcb.path.route = resting.route
        tcb.state = resting.state
        return Connection(iss=tcb.snd.iss, tcb=tcb)


def _members(record: Any, within: str, numbers: list[str], empty: list[str]) -> bool:
    """Find the paths of the numbers of a record and of those in it, and of what is empty; say if that is all of it."""
    for slot in attributes(type(record)):
        path, value = within + slot, getattr(record, slot)
        if path in KEPT:
            continue
        if isinstance(value, int | float):
            numbers.append(path)
        elif value is None or value == []:
            empty.append(path)
        elif isinstance(value, list | tuple) or not _members(value, path + ".", numbers, empty):
            return False
    return True


def _getter(path: str) -> Callable[[Any], Any]:
    return attrgetter(path) if path else _itself


def _itself(tcb: Any) -> Any:
    return tcb


def _size(entry: tuple[int, int]) -> int:
    return abs(entry[1])
