"""What both ends of every connection did: the segments between them, the kernel's states as read at each.

tulpen's end leaves a trace.  The kernel's end leaves none; its state is read by sock_diag
whenever a segment has come from it or has been handed to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.show.ladder import Fate, Ladder, Side
from tulpen.show.ladder_trace import Passage, Witness, ladder_from_trace
from tulpen.tcp.state import CLOSED, FIN_PENDING, FIN_WAIT_2, TIME_WAIT
from tulpen.tcp.trace import FourTuple, Record, Sent
from tulpen.wire.address import text
from tulpen.wire.segment import FIN, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tulpen.sim.filters import Passed
    from tulpen.tcp.state import State
    from tulpen.wire.ip import Packet

MOST: Final = 4000  # segments of one connection that are kept


class Seen:
    """One connection, by the kernel's name of it."""

    __slots__ = ("name", "passages", "readings", "records", "rewritten", "since")

    def __init__(self, name: FourTuple, since: int) -> None:
        self.name = name
        self.since = since
        self.passages: list[Passage] = []
        self.readings: list[tuple[int, State]] = []
        self.records: list[Record] = []  # of tulpen's end
        self.rewritten: dict[int, Segment] = {}  # what the path made of a segment, by the identity of what was sent

    @property
    def tulpens(self) -> FourTuple:
        """Tulpen's name of it."""
        return turned(self.name)

    @property
    def title(self) -> str:
        """Both sockets."""
        local, port, remote, remote_port = self.name
        return f"{_socket(local, port)} - {_socket(remote, remote_port)}"

    def read(self, state: State, now: int) -> None:
        """Note the kernel's state."""
        if not self.readings or self.readings[-1][1] is not state:
            self.readings.append((now, state))

    def fin_left(self, now: int) -> int:
        """Return when the kernel sent its FIN, which is read ``now``: before ``now``, if its state said so."""
        for when, state in self.readings:
            if FIN_PENDING[state] or state in (FIN_WAIT_2, TIME_WAIT):
                return min(when, now)
        return now

    def backdate(self, left: int) -> None:
        """The kernel's last segment left at ``left`` already; so did, at the latest, those before it."""
        for i in range(len(self.passages) - 1, -1, -1):
            passage = self.passages[i]
            if passage.sender is not Side.LEFT:
                continue
            if passage.now <= left:
                break
            self.passages[i] = passage._replace(now=left)

    def ladder(self, kernel: str, tulpen: str, *, kernel_side: Side = Side.LEFT) -> Ladder:
        """Draw it up: the client left."""
        kernels = Witness(kernel, readings=self.readings, first=CLOSED, address=_socket(*self.name[:2]))
        sent = [self._as_sent(record) for record in self.records]
        tulpens = Witness(tulpen, sent, address=_socket(*self.name[2:]))
        left, right = (kernels, tulpens) if kernel_side is Side.LEFT else (tulpens, kernels)
        passages = self.passages if kernel_side is Side.LEFT else [
            each._replace(sender=each.sender.other) for each in self.passages
        ]  # fmt: skip
        return ladder_from_trace(left, right, passages=passages)

    def _as_sent(self, record: Record) -> Record:
        if isinstance(record, Sent) and id(record.seg) in self.rewritten:
            return record._replace(seg=self.rewritten[id(record.seg)])
        return record


class Observer:
    """Sees every packet of a drive; ``state`` reads the kernel's state of a connection."""

    def __init__(self, state: Callable[[FourTuple], State]) -> None:
        self._state = state
        self._seen: dict[FourTuple, Seen] = {}
        self._ignored: set[FourTuple] = set()
        self._frozen = False

    @property
    def connections(self) -> list[Seen]:
        """Every connection so far, in the order of their first segments."""
        return list(self._seen.values())

    def ignore(self) -> None:
        """Forget the connections so far; they were no part of the run."""
        self._ignored |= set(self._seen)
        self._seen.clear()

    def departs(self, packet: Packet, passed: Passed, incoming: bool, now: int) -> None:
        """Note what became of a segment on its way; ``incoming`` is what the kernel sent."""
        seg = packet.payload
        if self._frozen or not isinstance(seg, Segment):
            return
        name = _name(packet, seg) if incoming else turned(_name(packet, seg))
        seen = self._get(name, now)
        if seen is None:
            return
        if incoming:
            seen.read(self._state(name), now)
        if len(seen.passages) < MOST:
            found = passages_of(packet, seg, passed, Side.LEFT if incoming else Side.RIGHT, now, seen.rewritten)
            seen.passages += found
            if incoming and seg.flags & FIN:
                seen.backdate(seen.fin_left(now))

    def arrives(self, packet: Packet, incoming: bool, now: int) -> None:
        """Read the kernel's state when it has taken a segment in."""
        seg = packet.payload
        if self._frozen or incoming or not isinstance(seg, Segment):
            return
        name = turned(_name(packet, seg))
        seen = self._seen.get(name)
        if seen is not None:
            seen.read(self._state(name), now)

    def freeze(self, now: int) -> None:
        """Read the kernel's state of every connection once more, and see nothing from now on."""
        if self._frozen:
            return
        self._frozen = True
        for seen in self._seen.values():
            seen.read(self._state(seen.name), now)

    def take(self, records: Iterable[tuple[FourTuple | None, Record]]) -> None:
        """Sort the records of tulpen's end by connection."""
        by_name = {seen.tulpens: seen for seen in self._seen.values()}
        for name, record in records:
            if name in by_name:
                by_name[name].records.append(record)

    def _get(self, name: FourTuple, now: int) -> Seen | None:
        if name in self._ignored:
            return None
        seen = self._seen.get(name)
        if seen is None:
            seen = self._seen[name] = Seen(name, now)
        return seen


def passages_of(
    packet: Packet, seg: Segment, passed: Passed, sender: Side, now: int, rewritten: dict[int, Segment]
) -> list[Passage]:
    """Return what became of a segment on its way; ``rewritten`` takes what a box made of it, by what was sent."""
    found: list[Passage] = []
    through = 0
    for delay, out in passed:
        other = out.payload
        if not isinstance(other, Segment):
            continue
        arrived = now + delay
        if out.dst != packet.dst:
            found.append(Passage(sender.other, now, other, Fate.INJECTED, arrived))
        elif out is packet:
            fate = Fate.ARRIVED if not through else Fate.DUPLICATED
            through += 1
            found.append(Passage(sender, now, seg, fate, arrived))
        elif out.damaged:
            through += 1
            found.append(Passage(sender, now, seg, Fate.CORRUPTED, arrived))
        elif other.seq == seg.seq and other.flags == seg.flags:
            through += 1
            rewritten[id(seg)] = other
            found.append(Passage(sender, now, other, Fate.ARRIVED, arrived))
        else:
            found.append(Passage(sender, now, other, Fate.INJECTED, arrived))
    if not through:
        found.append(Passage(sender, now, seg, Fate.LOST))
    return found


def turned(name: FourTuple) -> FourTuple:
    """Return the other end's name of a connection."""
    return FourTuple(name.remote, name.remote_port, name.local, name.local_port)


def _name(packet: Packet, seg: Segment) -> FourTuple:
    """Return the sender's name of the connection."""
    return FourTuple(packet.src, seg.sport, packet.dst, seg.dport)


def _socket(address: bytes, port: int) -> str:
    return f"[{text(address)}]:{port}" if len(address) == 16 else f"{text(address)}:{port}"
