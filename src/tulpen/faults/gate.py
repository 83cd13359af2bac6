"""The door of the server's host: what a fault does to the segments of one connection there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tulpen.sim.rewrite import carrying
from tulpen.tcp.trace import FourTuple
from tulpen.wire.segment import ACK, RST, Segment

if TYPE_CHECKING:
    from tulpen.faults.tally import Tally
    from tulpen.sim.filters import Passed
    from tulpen.wire.ip import Packet

MILLISECOND: Final = 1_000_000
HOLD: Final = 30 * MILLISECOND

Rule = Callable[["Packet", Segment, bool, int], "Passed"]  # (packet, its segment, is it the victim's?, now)


class Gate:
    """A filter with a rule for some connections, by the server's name of them; the others pass."""

    __slots__ = ("_rules",)

    def __init__(self) -> None:
        self._rules: dict[FourTuple, Rule] = {}

    def set(self, name: FourTuple, rule: Rule) -> None:
        """From now on ``rule`` decides about the segments of this connection."""
        self._rules[name] = rule

    def __call__(self, packet: Packet, now: int) -> Passed:
        seg = packet.payload
        if self._rules and isinstance(seg, Segment):
            rule = self._rules.get(FourTuple(packet.src, seg.sport, packet.dst, seg.dport))
            if rule is not None:
                return rule(packet, seg, False, now)
            rule = self._rules.get(FourTuple(packet.dst, seg.dport, packet.src, seg.sport))
            if rule is not None:
                return rule(packet, seg, True, now)
        return [(0, packet)]


def silent(tally: Tally) -> Rule:
    """The server's host is gone, or the path to it: nothing passes."""

    def rule(packet: Packet, seg: Segment, incoming: bool, now: int) -> Passed:
        if incoming and len(seg.data):
            tally.mark()
        return []

    return rule


def forgotten(tally: Tally) -> Rule:
    """The server's host has rebooted: it answers every segment as one of no connection (RFC 9293 §3.10.7.1)."""

    def rule(packet: Packet, seg: Segment, incoming: bool, now: int) -> Passed:
        if not incoming or seg.flags & RST:
            return []
        if len(seg.data):
            tally.mark()
        return [(0, reset_of(packet, seg))]

    return rule


def reset_of(packet: Packet, seg: Segment) -> Packet:
    """Return the RST that a host without the connection sends back."""
    if seg.flags & ACK:
        rst = Segment(seg.ack, 0, RST, sport=seg.dport, dport=seg.sport)
    else:
        rst = Segment(0, seg.seq + seg.len & 0xFFFF_FFFF, RST | ACK, sport=seg.dport, dport=seg.sport)
    return carrying(packet, rst, src=packet.dst, dst=packet.src)


class Crossing:
    """A rule that holds the victim's next request back, so that the server can close before it arrives."""

    __slots__ = ("_tally", "under_way")

    def __init__(self, tally: Tally) -> None:
        self.under_way = False
        self._tally = tally

    def __call__(self, packet: Packet, seg: Segment, incoming: bool, now: int) -> Passed:
        if not (incoming and len(seg.data)):
            return [(0, packet)]
        if self.under_way:
            return [(HOLD, packet)]
        self.under_way = True
        self._tally.mark()
        # An ACK without the request goes ahead: the host is woken by it, and its server closes.
        ack = Segment(seg.seq, seg.ack, ACK, seg.wnd, options=seg.options, sport=seg.sport, dport=seg.dport)
        return [(0, carrying(packet, ack)), (HOLD, packet)]
