"""RSTs, each with what was known when it passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from tulpen.tcp.state import SYN_SENT
from tulpen.wire.segment import ACK, FIN, SYN
from tulpen.wire.seq import MASK, unwrap

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.end import End
    from tulpen.capture.seen import Seen


@final
@dataclass(slots=True, eq=False)
class Reset:
    """One RST."""

    side: int
    frame: int
    when: int
    flags: int
    state: str = ""  # of its sender; "": not known
    theirs: str = ""  # of the other end
    idle: int = 0  # nanoseconds since the segment before
    exact: bool = False  # its sequence number is the one that is expected
    acceptable: bool = False
    possible: bool = False  # in the window: RFC 5961 has it challenged, RFC 793 obeyed
    nxt: int = 0  # what its sender had sent
    answers: bool = False  # it answers the segment before, as one without a connection does (§3.10.7.1)
    bad_ack: bool = False  # that segment acknowledges what its sender never sent
    after_fin: bool = False
    late_text: bool = False  # text came after that FIN
    keep_alives: int = 0  # of its sender, unanswered
    tries: int = 0  # retransmissions of its sender, unanswered
    ttl_off: int = 0  # from the nearest TTL of its sender
    ident_off: bool = False
    no_stamp: bool = False
    unanswered: bool = False  # text had come that its sender never answered
    peer_last_length: int = 0
    went_on: int = 0  # frame: its sender went on as if it had not sent it


def weigh(talk: Conversation, side: int, seg: Seen) -> Reset:
    """Return a RST with what speaks for and against it."""
    sender, receiver = talk.ends[side], talk.ends[1 - side]
    reset = Reset(side, seg.frame, seg.when, seg.flags)
    reset.state = title(sender)
    reset.theirs = title(receiver)
    reset.idle = max(seg.when - talk.last_when, 0) if talk.segments else 0
    reset.after_fin = sender.fin is not None
    reset.late_text = reset.after_fin and receiver.last_data > sender.fin_frame
    reset.nxt = sender.nxt or 0
    reset.keep_alives = sender.probes_open
    reset.tries = sender.tries
    reset.unanswered = receiver.last_data_when > sender.last_data_when and receiver.last_data_when > 0
    if sender.ttls and seg.ttl not in sender.ttls:
        reset.ttl_off = min((seg.ttl - ttl for ttl in sender.ttls), key=abs)
    reset.ident_off = _ident_is_odd(sender, seg)
    reset.no_stamp = sender.timestamps and seg.options.tsval is None
    _judge(talk, reset, sender, receiver, seg)
    if talk.last_seg is not None and talk.last_side != side:
        _compare(reset, sender, talk.last_seg, seg)
    return reset


def _judge(talk: Conversation, reset: Reset, sender: End, receiver: End, seg: Seen) -> None:
    # §3.10.7.3 for SYN-SENT; else RFC 5961 §3.2.
    if receiver.machine.state is SYN_SENT and not sender.syns and not sender.syn_acks:
        reset.acceptable = reset.exact = bool(seg.flags & ACK) and acks_syn(receiver, seg, talk.syn_text)
        return
    expected = receiver.last_ack if receiver.last_ack is not None else sender.nxt
    if expected is None:  # nothing else of its sender was captured
        reset.acceptable = not seg.flags & (SYN | FIN)
    else:
        seq = unwrap(seg.seq, expected)
        reset.exact = seq in (expected, sender.nxt)
        reset.acceptable = reset.exact
        reset.possible = 0 <= seq - expected < (max(receiver.wnd, 0) or 65_535)


def _compare(reset: Reset, sender: End, previous: Seen, seg: Seen) -> None:
    if previous.flags & SYN and reset.state == "ESTABLISHED":
        reset.state = "SYN-SENT"  # the SYN,ACK had not made it ESTABLISHED
    reset.peer_last_length = previous.length
    if previous.flags & ACK:
        reset.answers = not seg.flags & ACK and seg.seq == previous.ack
        reset.bad_ack = reset.state == "SYN-SENT" and reset.answers and not acks_syn(sender, previous, 0)
    else:
        reset.answers = bool(seg.flags & ACK) and seg.seq == 0


def acks_syn(end: End, seg: Seen, text: int) -> bool:
    """Say whether it acknowledges the SYN of ``end``, which brought ``text`` octets."""
    if end.isn is None:
        return True
    return 0 < (seg.ack - end.isn) & MASK <= 1 + max(text, (end.nxt or 0) - end.isn)


def title(end: End) -> str:
    """Return the state as it stands in a row; "" where it is not known."""
    return "" if end.machine.state is None else end.machine.state.title


def _ident_is_odd(sender: End, seg: Seen) -> bool:
    # A sender that counts its packets does not jump; one that always says 0 does not begin to count.
    if sender.ident < 0 or seg.ident < 0 or sender.packets < 2:
        return False
    if sender.ident == 0:
        return seg.ident != 0
    return seg.ident != 0 and (seg.ident - sender.ident) & 0xFFFF > 0x2000
