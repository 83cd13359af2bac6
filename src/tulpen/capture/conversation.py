"""One connection as its segments pass: both ends' machines, numbers, and what is found on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from tulpen.capture.acks import ack_sent, acknowledges, stalled, stamp_sent
from tulpen.capture.end import End
from tulpen.capture.evidence import Findings
from tulpen.capture.legal import check
from tulpen.capture.resets import Reset, acks_syn, title, weigh
from tulpen.capture.seen import Sum
from tulpen.capture.text import text_sent
from tulpen.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT, Event
from tulpen.wire.segment import ACK, FIN, RST, SYN
from tulpen.wire.seq import MASK, unwrap

if TYPE_CHECKING:
    from tulpen.capture.seen import IcmpError, Seen

MS: Final = 1_000_000
MOST: Final = 64  # RSTs and errors of ICMP that are remembered
COPY: Final = 100 * MS  # no SYN is sent again so soon
IN_FLIGHT: Final = 200 * MS  # what passes so soon after a RST may have been sent before it came


@final
class Conversation:
    """One connection; ends 0 and 1 are in the order in which they were first heard."""

    __slots__ = (
        "ends", "fin_idle", "findings", "first_fin", "first_frame", "first_syn", "icmp", "kept", "last_frame",
        "last_seg", "last_side", "last_when", "layers", "number", "pending_fin", "resets", "reused", "segments",
        "start", "stray", "syn_text", "text_taken", "vlan",
    )  # fmt: skip

    def __init__(self, number: int, seg: Seen, *, keep: bool = False) -> None:
        self.number = number
        self.ends = (End(seg.src, seg.sport), End(seg.dst, seg.dport))
        self.findings = Findings(noting=keep)
        self.first_frame = seg.frame
        self.last_frame = seg.frame
        self.start = seg.when
        self.last_when = seg.when
        self.last_side = -1
        self.last_seg: Seen | None = None
        self.layers = seg.layers
        self.vlan = seg.vlan
        self.segments = 0
        self.kept: list[tuple[int, Seen]] | None = [] if keep else None
        self.resets: list[Reset] = []
        self.icmp: list[IcmpError] = []
        self.first_fin = -1  # the side that closed first
        self.fin_idle = 0  # nanoseconds of silence before that
        self.first_syn = -1
        self.pending_fin = [False, False]  # a FIN of this side waits for text before it
        self.syn_text = 0  # octets that came with the SYN
        self.text_taken = False  # and the SYN,ACK acknowledged them
        self.reused = 0  # number of the earlier connection of the same name
        self.stray = False  # its SYN was answered by a challenge: there never was a connection

    def side_of(self, seg: Seen) -> int:
        """Return which end sent it."""
        end = self.ends[0]
        return 0 if seg.src == end.address and seg.sport == end.port else 1

    @property
    def round_trip(self) -> int:
        """The least time from one end to the other and back, in nanoseconds; 0: not known."""
        here, there = self.ends[0].rtt.least, self.ends[1].rtt.least
        return here + there if here and there else here or there

    def ignored(self, seg: Seen) -> None:
        """Take a segment whose checksum is wrong: its receiver drops it."""
        side = self.side_of(seg)
        self.findings.add("bad-checksum", side, seg.frame, "bad checksum")
        self.last_frame = seg.frame
        if self.kept is not None:
            self.kept.append((side, seg))

    def segment(self, seg: Seen) -> None:
        """Take the next segment."""
        side = self.side_of(seg)
        sender, receiver = self.ends[side], self.ends[1 - side]
        check(self, side, seg)
        flags = seg.flags
        if flags & RST:
            self._reset(side, sender, receiver, seg)
        else:
            self._spoke_after_reset(side, seg)
            if flags & SYN:
                self._syn(side, sender, receiver, seg)
            self._numbers(side, sender, receiver, seg)
            self._departs(side, sender, receiver, seg)
            self._arrives(1 - side, sender, receiver, seg)
        self._count(side, seg)

    def _count(self, side: int, seg: Seen) -> None:
        sender = self.ends[side]
        sender.packets += 1
        sender.right = sender.right or seg.checksum is Sum.GOOD
        sender.last_when = seg.when
        sender.last_frame = seg.frame
        if seg.length and not seg.flags & RST:
            sender.data_packets += 1
            sender.last_data_when = seg.when
            sender.last_data = seg.frame
        if not seg.flags & RST:
            sender.last_spoke = seg.frame
            sender.unfinished += seg.checksum is Sum.UNFINISHED
            sender.ttls[seg.ttl] = sender.ttls.get(seg.ttl, 0) + 1
            sender.ident = seg.ident
        self.segments += 1
        self.last_frame = seg.frame
        self.last_when = max(self.last_when, seg.when)
        self.last_side = side
        self.last_seg = seg
        if self.kept is not None:
            self.kept.append((side, seg))

    # the handshake

    def _syn(self, side: int, sender: End, receiver: End, seg: Seen) -> None:
        again = sender.isn is not None
        if again and sender.isn != seg.seq:
            if seg.flags & ACK:
                sender.other_isn = seg.seq
                self.findings.add("second-syn-ack", side, seg.frame, "another initial sequence number")
            return
        alike = bool(seg.flags & ACK) == (sender.syn_acks > 0) and seg.options.tsval in (None, sender.stamped)
        if again and alike and seg.when - sender.syn_last < COPY:
            self.findings.add("duplicated", side, seg.frame, "captured twice")
            return
        if seg.flags & ACK:
            sender.syn_acks += 1
            if sender.syn_acks == 1 and self.syn_text and receiver.isn is not None:
                self.text_taken = (seg.ack - receiver.isn) & MASK > 1
                if not self.text_taken:
                    self.findings.add("fast-open-refused", side, seg.frame, "the SYN's text was not taken")
        else:
            sender.syns += 1
        if sender.syns > 1 or sender.syn_acks > 1:
            self._syn_again(side, sender, seg)
        sender.syn_last = seg.when
        if not again:
            self._first_syn(side, sender, seg)

    def _syn_again(self, side: int, sender: End, seg: Seen) -> None:
        wait = f"sent again after {(seg.when - sender.syn_last) / 1e9:.3g} s"
        if seg.flags & ACK and sender.syn_acks > 1:
            self.findings.add("syn-ack-retries", side, seg.frame, f"SYN,ACK {wait}")
        elif not seg.flags & ACK:
            self.findings.add("syn-retries", side, seg.frame, f"SYN {wait}")
        else:
            return
        sender.machine.take_back(Event.SYN_ACKED)  # no answer had come

    def _first_syn(self, side: int, sender: End, seg: Seen) -> None:
        if self.first_syn < 0:
            self.first_syn = side
        options = seg.options
        sender.isn = seg.seq
        sender.syn_frame, sender.syn_when = seg.frame, seg.when
        sender.mss = options.mss or 0
        sender.wscale = -1 if options.wscale is None else options.wscale
        sender.sack_permitted = options.sack_permitted
        if sender.nxt is None or sender.una is None:
            sender.nxt = sender.una = seg.seq
        base = unwrap(seg.seq, sender.nxt)
        sender.nxt = max(sender.nxt, base + 1)
        if options.fast_open is not None:
            self.findings.add("fast-open-cookie", side, seg.frame)
        if seg.length and not seg.flags & ACK:
            self.syn_text = seg.length

    # numbers

    def _numbers(self, side: int, sender: End, receiver: End, seg: Seen) -> None:
        trip = self.round_trip
        if seg.length and sender.small_waits:
            if seg.when - receiver.last_ack_when < max(trip, 5 * MS):
                stalled(sender, side, seg, self.findings)
            sender.small_waits = 0
        in_order = sender.nxt is not None and unwrap(seg.seq, sender.nxt) == sender.nxt
        stamp_sent(sender, side, seg, self.findings, in_order=in_order)
        if seg.length or not seg.flags & SYN:
            text_sent(sender, receiver, side, seg, self.findings, trip)
        if acknowledges(seg):
            if seg.flags & SYN and receiver.isn is not None and (seg.ack - receiver.isn - 1) & MASK > self.syn_text:
                return  # acknowledges another connection's SYN
            answers = seg.flags & SYN and receiver.syns == 1
            if answers or (sender.acked_first == 0 and receiver.syn_acks == 1 and not receiver.syns):
                receiver.rtt.add(seg.when - receiver.syn_when)
            if receiver.other_isn is not None and not sender.acked_first and not seg.flags & SYN:
                _choose(receiver, seg.ack)
            if not seg.flags & SYN:
                sender.acked_first = sender.acked_first or seg.frame
            ack_sent(sender, receiver, side, seg, self.findings)
        if seg.flags & FIN:
            self._fin(side, sender, seg)
        self._agree(sender, receiver)

    def _agree(self, sender: End, receiver: End) -> None:
        # Timestamps are agreed on where both SYNs offered them; what follows is held to it.
        if not sender.timestamps and sender.stamped and receiver.stamped and sender.isn is not None:
            sender.timestamps = receiver.timestamps = receiver.isn is not None

    def _fin(self, side: int, sender: End, seg: Seen) -> None:
        assert sender.nxt is not None
        where = unwrap(seg.seq, sender.nxt) + seg.length + bool(seg.flags & SYN)
        if sender.fin is None:
            sender.fin = where
            sender.fin_end = where + 1
            sender.fin_frame = seg.frame
            if self.first_fin < 0:
                self.first_fin = side
                self.fin_idle = max(seg.when - self.last_when, 0) if self.segments else 0
        elif where != sender.fin:
            self.findings.add("moved-fin", side, seg.frame, "FIN at another sequence number")
        else:
            self._fin_again(side, sender, seg)

    def _fin_again(self, side: int, sender: End, seg: Seen) -> None:
        """A FIN is sent again: its acknowledgment had not come, and if there was none, nor had the FIN."""
        other = self.ends[1 - side]
        until = sender.fin_acked_when + max(other.rtt.least, MS)
        if seg.when > until and sender.machine.take_back(Event.FIN_ACKED):
            sender.fin_acked = 0
            if other.fin is not None and sender.last_ack is not None and sender.last_ack >= other.fin_end:
                sender.machine.acked_fin(seg)
        self._never_got_fin(1 - side, seg)

    # states

    def _departs(self, side: int, sender: End, receiver: End, seg: Seen) -> None:
        machine = sender.machine
        flags = seg.flags
        if flags & SYN:
            if not flags & ACK:
                machine.sent_syn(seg)
            else:
                syn = (receiver.syn_frame, receiver.syn_when) if receiver.syns else None
                machine.sent_syn_ack(seg, syn)
            if not flags & FIN:
                return
        if machine.state is None and receiver.machine.state in (SYN_RECEIVED, SYN_SENT):
            self._missed(sender, receiver, seg)
        early = machine.state is SYN_RECEIVED and (self.syn_text > 0 or not seg.length)
        machine.spoke(seg, synchronized=not early or bool(flags & FIN))
        if receiver.fin is not None and flags & ACK and _covers(seg.ack, receiver.fin_end):
            machine.acked_fin(seg)
        elif flags & FIN and receiver.fin is not None and sender.fin_frame == seg.frame:
            self._crossed(side, receiver, seg)
        if flags & FIN:
            machine.sent_fin(seg)

    def _crossed(self, side: int, receiver: End, seg: Seen) -> None:
        """It had not got the other end's FIN when it sent its own: both are under way."""
        machine = self.ends[side].machine
        if self._never_got_fin(side, seg):
            machine.sent_fin(seg)
            machine.got_fin(seg, frame=receiver.fin_frame)

    def _never_got_fin(self, side: int, seg: Seen) -> bool:
        """Take back a FIN that was only inferred; what it was passed by stays."""
        end = self.ends[side]
        if not end.machine.take_back(Event.FIN):
            return False
        if end.fin_acked:
            end.machine.fin_acked(seg)
        return True

    def _missed(self, sender: End, receiver: End, seg: Seen) -> None:
        """Its SYN or SYN,ACK was not captured: it answers one of the other end's."""
        if receiver.machine.state is SYN_SENT:
            sender.machine.sent_syn_ack(seg, (receiver.syn_frame, receiver.syn_when))
            for step in sender.machine.steps:
                step.known = type(step.known).INFERRED
                step.proof = 0
        else:
            sender.machine.answered(seg)

    def _arrives(self, at: int, sender: End, receiver: End, seg: Seen) -> None:
        """Let the receiver, side ``at``, take on what the segment proves if it arrives."""
        machine = receiver.machine
        if not seg.flags & ACK:
            return
        if seg.flags & SYN and machine.state is None:
            machine.answered(seg)
        if machine.state in (SYN_SENT, SYN_RECEIVED) and acks_syn(receiver, seg, self.syn_text):
            unknown = sender.machine.state in (None, CLOSED, LISTEN, SYN_SENT)
            if machine.state is SYN_RECEIVED or seg.flags & SYN or not unknown:
                machine.syn_acked(seg)
        if receiver.fin is not None and not receiver.fin_acked and _covers(seg.ack, receiver.fin_end):
            receiver.fin_acked, receiver.fin_acked_when = seg.frame, seg.when
            machine.fin_acked(seg)
        self._fin_arrives(at, sender, receiver, seg)

    def _fin_arrives(self, at: int, sender: End, receiver: End, seg: Seen) -> None:
        if sender.fin is None or receiver.machine.state is None:
            return
        waiting = self.pending_fin[1 - at] or seg.flags & FIN
        if not waiting:
            return
        missing = any(hole.end <= sender.fin for hole in sender.holes)
        self.pending_fin[1 - at] = missing
        if not missing:
            receiver.machine.got_fin(seg)

    # resets

    def _reset(self, side: int, sender: End, receiver: End, seg: Seen) -> None:
        reset = weigh(self, side, seg)
        if len(self.resets) < MOST:
            self.resets.append(reset)
        sender.resets += 1
        if reset.acceptable:
            if self._never_got_fin(side, seg):  # it would have acknowledged it
                reset.state = title(sender)
            if sender.machine.state is SYN_RECEIVED and _acks_text(receiver, seg):
                sender.machine.spoke(seg, synchronized=True)
                reset.state = title(sender)
            sender.machine.sent_reset(seg)
            if receiver.machine.state is not None:
                receiver.machine.got_reset(seg)
        if self.findings.notes is not None and not reset.acceptable:
            self.findings.notes.setdefault(seg.frame, []).append("not acceptable")

    def _spoke_after_reset(self, side: int, seg: Seen) -> None:
        """A segment after a RST shows that one who should be gone is not, unless it was under way already."""
        if not self.resets:
            return
        last = self.resets[-1]
        if last.theirs == "SYN-SENT" and seg.flags & SYN:
            return  # refused, it tries again
        self.findings.add("after-reset", side, seg.frame, "after the RST")
        late = seg.when - last.when
        telling = seg.length or seg.flags & (SYN | FIN) or late > IN_FLIGHT
        if side == last.side and telling and not last.went_on:
            last.went_on = seg.frame
            self.ends[side].machine.take_back(Event.ABORT, forged=True)
        machine = self.ends[side].machine
        alive = late > max(2 * self.round_trip, IN_FLIGHT)
        if seg.flags & ACK and last.went_on:
            alive = alive or unwrap(seg.ack, last.nxt) > last.nxt
        if alive and side != last.side and machine.state is CLOSED and machine.take_back(Event.RESET):
            self.findings.add("reset-ignored", side, seg.frame, "goes on after the RST")

    def last_words(self) -> None:
        """Nothing more comes: a RST in the window after which nobody spoke was obeyed."""
        if not self.resets or self.resets[0].acceptable or not self.resets[0].possible:
            return
        reset = self.resets[0]
        if self.last_seg is not None and not any(end.last_spoke > reset.frame for end in self.ends):
            reset.acceptable = True
            self.ends[reset.side].machine.sent_reset(self.last_seg)
            self.ends[1 - reset.side].machine.got_reset(self.last_seg)

    def told(self, error: IcmpError) -> None:
        """Take an ICMP error about a segment of this connection."""
        if len(self.icmp) < MOST:
            self.icmp.append(error)
        self.findings.add("icmp", -1, error.frame, detail=error.words)


def _choose(end: End, ack: int) -> None:
    """Two SYN,ACKs have come with different numbers: the one that is acknowledged counts."""
    if end.other_isn is not None and ack == (end.other_isn + 1) & MASK:
        end.isn = end.other_isn
        end.nxt = end.una = ack
        end.holes.clear()
        end.flight.clear()
        end.flight_from = 0


def _acks_text(end: End, seg: Seen) -> bool:
    return bool(seg.flags & ACK) and end.isn is not None and 1 < (seg.ack - end.isn) & MASK < 1 << 31


def _covers(ack: int, end: int) -> bool:
    return unwrap(ack, end) >= end
