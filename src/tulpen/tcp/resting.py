"""A connection at rest: open, with nothing on its way or waiting, and kept as octets until somebody wants it.

It is to its ``Tcb`` what a ``Request`` and a ``TimeWait`` are to theirs, except that nothing is left
out.  Every number of a TCB is compared with that of a pattern, a connection that came to rest
earlier: as it is, or as its distance from SND.NXT, from RCV.NXT or from the time of the last segment,
whichever it is near.  Those that differ are written down.  What is not a number (queues, what is in
flight, signals not told) is empty at rest, or keeps the connection awake.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import starmap
from operator import attrgetter, sub
from struct import Struct
from typing import Any, Final, NamedTuple, final

from tulpen.tcp.attributes import attributes
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.cubic import Cubic
from tulpen.tcp.ecn_state import Ecn
from tulpen.tcp.negotiate import Terms
from tulpen.tcp.option_sets import MOST, OptionSets
from tulpen.tcp.route import Route
from tulpen.tcp.rtt import Bounds
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSE_WAIT, ESTABLISHED, State
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.trace import FourTuple

#: What others are near; written whole.
BASES: Final = ("snd.nxt", "rcv.nxt", "intake.heard_at")
#: Not written: known without, kept beside the octets, or, as the last, made again when it is asked for.
KEPT: Final = frozenset(
    {"stack", "name", "trace", "options", "terms", "state", "route", "rtt.bounds", "ecn", "flight.rate._moment"}
)
SMALL: Final = 1 << 20  # a number below this is no place in a sequence, and no time
NEAR: Final = 1 << 40
HEAD: Final = Struct("<3qB")  # the bases, and how many distances have four octets; the others have eight
NARROW: Final = Struct("<Bi")  # a number's place, and its distance from what is usual
WIDE: Final = Struct("<Bq")
LIMIT: Final = 1 << 31


class Circumstances(NamedTuple):
    """What is no number of one connection's own: the same object for all that have the same."""

    options: SocketOptions
    terms: Terms
    bounds: Bounds
    route: Route
    state: State


@final
class Resting:
    """What stands for a connection meanwhile."""

    __slots__ = ("_circumstances", "_ecn", "_octets", "_pattern")

    def __init__(self, pattern: Pattern, octets: bytes, circumstances: Circumstances, ecn: Ecn | None) -> None:
        self._pattern = pattern
        self._octets = octets
        self._circumstances = circumstances
        self._ecn = ecn  # as it is: its counts are no single numbers

    @property
    def octets(self) -> bytes:
        """The numbers in which it differs from the pattern."""
        return self._octets

    @property
    def options(self) -> SocketOptions:
        """Its socket options, shared by those that have the same."""
        return self._circumstances.options

    @property
    def state(self) -> State:
        """The state, of RFC 9293 §3.3.2."""
        return self._circumstances.state

    def wakened(self, stack: Stack, name: FourTuple) -> Tcb:
        """Return the TCB again; its options are shared still."""
        tcb = self._pattern.read(self._octets, stack, name)
        tcb.options, tcb.terms, tcb.rtt.bounds, tcb.route, tcb.state = self._circumstances
        tcb.ecn = self._ecn
        return tcb


@final
class Pattern:
    """A connection at rest that others are compared with."""

    __slots__ = ("_absolute", "_all", "_empty", "_fresh", "_near", "_nothing", "_places")

    def __init__(self, tcb: Tcb, numbers: list[str], empty: list[str]) -> None:
        bases = attrgetter(*BASES)(tcb)
        near: tuple[dict[str, int], ...] = ({}, {}, {})  # paths, and how far each is from its base
        absolute: dict[str, Any] = {}  # it may be a bool, or of an enumeration
        for path in numbers:
            value = attrgetter(path)(tcb)
            base = min(range(len(BASES)), key=lambda each: abs(value - bases[each]))
            away = value - bases[base]
            if path not in BASES:
                if value >= SMALL and abs(away) < NEAR:
                    near[base][path] = away
                else:
                    absolute[path] = value
        paths = [*BASES, *near[0], *near[1], *near[2], *absolute]
        self._fresh = tcb.clone(tcb.stack)
        self._fresh.ecn = None
        self._all: Callable[[Tcb], tuple[Any, ...]] = attrgetter(*paths)
        self._empty: Callable[[Tcb], object] = attrgetter(*empty)
        self._nothing = self._empty(self._fresh)
        self._near = [list(each.values()) for each in near]
        self._absolute = list(absolute.values())
        self._places = [(_getter(record), name) for record, _, name in (path.rpartition(".") for path in paths)]

    def written(self, tcb: Tcb) -> bytes | None:
        """Return the octets of ``tcb``; None if something of it is no number."""
        if self._empty(tcb) != self._nothing:
            return None
        found = self._all(tcb)
        bases = found[: len(BASES)]
        try:
            distances = list(map(sub, found, self._usual(*bases)))
        except TypeError:
            return None
        narrow: list[tuple[int, int]] = []
        wide: list[tuple[int, int]] = []
        for place, distance in enumerate(distances):
            if distance:
                (narrow if -LIMIT <= distance < LIMIT else wide).append((place, distance))
        return b"".join((HEAD.pack(*bases, len(narrow)), *starmap(NARROW.pack, narrow), *starmap(WIDE.pack, wide)))

    def read(self, octets: bytes, stack: Stack, name: FourTuple) -> Tcb:
        """Return the TCB that octets stand for."""
        tcb = self._fresh.clone(stack)
        tcb.name = name
        tcb.trace = stack.trace(name)
        *bases, narrow = HEAD.unpack_from(octets)
        wide = HEAD.size + narrow * NARROW.size
        values = self._usual(*bases)
        moved = list(range(len(values) - len(self._absolute)))
        for place, distance in (*NARROW.iter_unpack(octets[HEAD.size : wide]), *WIDE.iter_unpack(octets[wide:])):
            usual = values[place]
            values[place] = type(usual)(usual + distance)
            moved.append(place)
        places = self._places
        for place in moved:
            record, slot = places[place]
            setattr(record(tcb), slot, values[place])
        return tcb

    def _usual(self, snd_nxt: int, rcv_nxt: int, heard_at: int) -> list[Any]:
        """Return what the numbers are of a connection that differs in these alone."""
        by_snd, by_rcv, by_time = self._near
        usual: list[Any] = [snd_nxt, rcv_nxt, heard_at]
        usual += [snd_nxt + away for away in by_snd]
        usual += [rcv_nxt + away for away in by_rcv]
        usual += [heard_at + away for away in by_time]
        usual += self._absolute
        return usual


@final
class Dormitory:
    """Puts connections of one host to rest, and wakes them."""

    __slots__ = ("_circumstances", "_option_sets", "_patterns", "_stack")

    def __init__(self, stack: Stack, option_sets: OptionSets) -> None:
        self._stack = stack
        self._option_sets = option_sets
        self._patterns: dict[Hashable, Pattern] = {}  # by what parts a TCB has
        self._circumstances: dict[Hashable, Circumstances] = {}

    def rest(self, connection: Connection) -> Resting | None:
        """Return what stands for a connection at rest; None for one that is not."""
        tcb = connection.tcb
        if tcb.state is not ESTABLISHED and tcb.state is not CLOSE_WAIT:
            return None
        if tcb.fast_open is not None or tcb.stamps is not None:
            return None
        pattern = self._pattern(tcb)
        octets = None if pattern is None else pattern.written(tcb)
        if pattern is None or octets is None:
            return None
        return Resting(pattern, octets, self._circumstances_of(tcb), tcb.ecn)

    def wake(self, resting: Resting, name: FourTuple) -> Connection:
        """Return the connection again."""
        tcb = resting.wakened(self._stack, name)
        return Connection(iss=tcb.snd.iss, tcb=tcb)

    def _pattern(self, tcb: Tcb) -> Pattern | None:
        """Return what a TCB is to be compared with, one that has the same parts; None: something of it is no number."""
        cc = tcb.cc
        parts = type(cc), isinstance(cc, Cubic) and cc.curve is None, tcb.rcv.memory is None, tcb.path is None
        pattern = self._patterns.get(parts)
        if pattern is None:
            numbers: list[str] = []
            empty: list[str] = []
            if not _members(tcb, "", numbers, empty):
                return None
            pattern = self._patterns[parts] = Pattern(tcb, numbers, empty)
        return pattern

    def _circumstances_of(self, tcb: Tcb) -> Circumstances:
        options = self._option_sets.shared(tcb.options)
        key = id(options), id(tcb.terms), tcb.rtt.bounds, tcb.route, tcb.state  # what is named by its id is kept
        found = self._circumstances.get(key)
        if found is None:
            if len(self._circumstances) >= MOST:
                self._circumstances.clear()
            found = Circumstances(options, tcb.terms, tcb.rtt.bounds, tcb.route, tcb.state)
            self._circumstances[key] = found
        return found


def _members(record: Any, within: str, numbers: list[str], empty: list[str]) -> bool:
    """Find the paths of the numbers of a record and of those in it, and of what is empty; say if that is all of it."""
    for slot in attributes(type(record)):
        path, value = within + slot, getattr(record, slot)
        if path in KEPT:
            continue
        if isinstance(value, int):
            numbers.append(path)
        elif value is None or value in ([], ()):
            empty.append(path)
        elif isinstance(value, list | tuple) or not _members(value, path + ".", numbers, empty):
            return False
    return True


def _getter(path: str) -> Callable[[Any], Any]:
    return attrgetter(path) if path else _itself


def _itself(tcb: Any) -> Any:
    return tcb
