"""Both ends' states and every segment between them, for the ladders: traces where there are, readings where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from tulpen.breaker.observer import passages_of, turned
from tulpen.show.ladder import Fate, Ladder, Side
from tulpen.show.ladder_trace import Passage, Witness, ladder_from_trace
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address as octets_of
from tulpen.wire.address import text
from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from tulpen.lab.machine import Machine
    from tulpen.sim.filters import Filter, Passed
    from tulpen.wire.ip import Packet

MOST: Final = 4000  # segments of one connection that are kept


@final
class Observer:
    """Sees every packet of a ground as it leaves and as it arrives."""

    def __init__(self, machines: list[Machine]) -> None:
        self._machines = machines
        self._passages: dict[FourTuple, list[Passage]] = {}  # by the name that the first sender gives it
        self._last = 0

    @property
    def connections(self) -> list[FourTuple]:
        """Every connection, named by the end that sent its first segment, in the order of their beginnings."""
        return list(self._passages)

    def path(self, through: Filter) -> Filter:
        """Return ``through`` with an eye on it."""

        def watched(packet: Packet, now: int) -> Passed:
            passed = through(packet, now)
            self._departs(packet, passed, now)
            return passed

        return watched

    def forged(self, packet: Packet, now: int) -> None:
        """Note a segment that its sender never sent."""
        seg = packet.payload
        if isinstance(seg, Segment):
            name = FourTuple(packet.src, seg.sport, packet.dst, seg.dport)
            first = turned(name) if turned(name) in self._passages else name
            side = Side.LEFT if first == name else Side.RIGHT
            when = self.stamp(now)
            self._passages.setdefault(first, []).append(Passage(side, when, seg, Fate.INJECTED, when))

    def stamp(self, now: int) -> int:
        """Return ``now``, or as little later as makes it follow what was seen before."""
        self._last = max(now, self._last + 1)
        return self._last

    def look(self, now: int) -> None:
        """Read the state of every connection at both ends, as after a wait."""
        for name in self._passages:
            self._note(name.local, name, now)
            self._note(name.remote, turned(name), now)

    def ladder(self, name: FourTuple, title: str = "") -> Ladder:
        """Draw up one connection; the end that began it stands left."""
        return ladder_from_trace(
            self._witness(name), self._witness(turned(name)), passages=self._passages.get(name, ()), title=title
        )

    def _witness(self, name: FourTuple) -> Witness:
        machine = self._find(name.local)
        return Witness(text(name.local)) if machine is None else machine.witness(name)

    def _departs(self, packet: Packet, passed: Passed, now: int) -> None:
        seg = packet.payload
        if not isinstance(seg, Segment):
            return
        name = FourTuple(packet.src, seg.sport, packet.dst, seg.dport)
        first = turned(name) if turned(name) in self._passages else name
        kept = self._passages.setdefault(first, [])
        if len(kept) < MOST:
            side = Side.LEFT if first == name else Side.RIGHT
            kept += passages_of(packet, seg, passed, side, self.stamp(now), {})

    def _note(self, address: bytes, name: FourTuple, now: int) -> None:
        machine = self._find(address)
        if machine is not None:
            machine.note(name, now)

    def _find(self, address: bytes) -> Machine | None:
        return next((each for each in self._machines if octets_of(each.address) == address), None)
