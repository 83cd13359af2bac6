"""Segments that nobody sent: old duplicates, and what an attacker makes up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.wire.ip import Packet
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import Segment
from tulpen.wire.seq import wrap

if TYPE_CHECKING:
    from tulpen.sim.filters import Passed
    from tulpen.tcp.trace import FourTuple


def segment(
    sender: FourTuple, flags: int, seq: int, ack: int = 0, *, data: bytes = b"", window: int = 1000,
    options: Options = NO_OPTIONS,
) -> Packet:  # fmt: skip
    """Return a packet in the name of ``sender`` (the sender's name of the connection)."""
    seg = Segment(wrap(seq), wrap(ack), flags, window, data, options, sport=sender.local_port, dport=sender.remote_port)
    return Packet(sender.local, sender.remote, seg)


class Memory:
    """A path that remembers the segments that it let pass: what a network may deliver again, or a spy has seen."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []

    def __call__(self, packet: Packet, now: int) -> Passed:
        if isinstance(packet.payload, Segment):
            self.packets.append(packet)
        return [(0, packet)]

    @property
    def segments(self) -> list[Segment]:
        """The segments alone."""
        return [packet.payload for packet in self.packets if isinstance(packet.payload, Segment)]
