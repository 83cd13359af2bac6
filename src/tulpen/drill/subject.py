"""The connection under test: where its packets go, and how the script's numbers become those on the wire."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, final

from tulpen.wire.segment import ACK, RST, SYN, Segment
from tulpen.wire.seq import wrap

if TYPE_CHECKING:
    from tulpen.drill.descriptor import File
    from tulpen.drill.script import TcpPacket


class Phase(Enum):
    """How far the script has come with its connection."""

    NEW = 0
    LISTENING = 1
    CONNECTING = 2  # connect() was called
    SYN_SENT = 3  # and the script expects the SYN
    SYN_ACKED = 4
    CALLED = 5  # a packet came in for the listener
    ANSWERED = 6  # the SYN,ACK was expected
    ACCEPTABLE = 7  # and its ACK came in


PASSIVE: Final = (Phase.CALLED, Phase.ANSWERED, Phase.ACCEPTABLE)


@final
class Subject:
    """One connection.  Sequence numbers in a script count from its SYNs."""

    def __init__(self, local: bytes, local_port: int, remote: bytes, remote_port: int) -> None:
        self.local = local
        self.local_port = local_port  # 0: not known until a SYN was seen
        self.remote = remote
        self.remote_port = remote_port
        self.phase = Phase.NEW
        self.file: File | None = None  # what the application holds of it
        self.script_local_isn = 0
        self.live_local_isn = 0
        self.script_remote_isn = 0
        self.live_remote_isn = 0
        self.stamps: dict[int, int] = {}  # the script's TSval -> ours
        self.first_stamp: tuple[int, int] | None = None  # the script's, ours

    def local_offset(self, syn: bool) -> int:
        """Return what is added to the script's number of an octet we send."""
        return self.live_local_isn - self.script_local_isn if syn else self.live_local_isn

    def remote_offset(self, syn: bool) -> int:
        """Return what is added to the script's number of an octet the peer sends."""
        return self.live_remote_isn - self.script_remote_isn if syn else self.live_remote_isn

    def expects(self, packet: TcpPacket) -> None:
        """The script expects a packet: a SYN says how it counts."""
        syn, ack = packet.flags & SYN, packet.flags & ACK
        if syn and not ack and self.phase is Phase.CONNECTING:
            self.phase = Phase.SYN_SENT
            self.script_local_isn = packet.seq or 0
        elif syn and ack and self.phase is Phase.CALLED:
            self.script_local_isn = packet.seq or 0

    def sent(self, packet: TcpPacket, seg: Segment) -> None:
        """A segment of ours is compared with what the script expects."""
        if self.phase is Phase.CALLED and packet.flags & SYN and packet.flags & ACK:
            self.phase = Phase.ANSWERED
            self.live_local_isn = seg.seq
            if packet.seq is None:
                self.script_local_isn = 0
        elif seg.flags & SYN and not seg.flags & (ACK | RST) and self.phase is Phase.SYN_SENT:
            self.live_local_isn = seg.seq
            self.local_port = seg.sport

    def injects(self, packet: TcpPacket) -> None:
        """A packet goes in: it may complete a handshake."""
        if self.phase is Phase.ANSWERED and packet.flags & ACK:
            self.phase = Phase.ACCEPTABLE
        elif self.phase is Phase.SYN_SENT and packet.flags & SYN and packet.flags & ACK:
            self.phase = Phase.SYN_ACKED
            self.script_remote_isn = self.live_remote_isn = packet.seq or 0

    def script_seq(self, seg: Segment) -> int:
        """Return the sequence number of a segment of ours as the script counts."""
        return wrap(seg.seq - self.local_offset(bool(seg.flags & SYN)))

    def script_ack(self, seg: Segment) -> int:
        """Return its acknowledgment number as the script counts."""
        return wrap(seg.ack - self.remote_offset(bool(seg.flags & SYN))) if seg.flags & ACK else seg.ack

    def stamp(self, script: int | None, ours: int) -> int:
        """Remember which of our timestamps the script means, and return ours as the script counts."""
        if script is None:
            return ours
        self.stamps[script] = ours
        if self.first_stamp is None:
            self.first_stamp = (script, ours)
        first_script, first_ours = self.first_stamp
        return wrap(first_script + ours - first_ours)

    def owns(self, seg: Segment, dst: bytes) -> bool:
        """Say whether a segment of ours belongs to this connection."""
        if dst != self.remote or seg.dport != self.remote_port:
            return False
        if self.local_port:
            return seg.sport == self.local_port
        return self.phase is Phase.SYN_SENT and bool(seg.flags & SYN)
