"""What RFC 9293 rules out in one segment, whatever the state: flags, options, addresses, numbers of a handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.wire.address import is_broadcast, is_multicast
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN, URG, letters
from tulpen.wire.seq import MASK, unwrap

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.seen import Seen

_CONTROL: Final = SYN | FIN | RST | ACK


def check(conversation: Conversation, side: int, seg: Seen) -> None:
    """Add what is wrong with the segment to the findings of its connection."""
    flags = seg.flags
    findings = conversation.findings
    if _odd_flags(flags):
        findings.add("illegal-flags", side, seg.frame, f"flags {letters(flags)}", letters(flags))
    elif not flags & (SYN | RST | ACK):
        findings.add("no-ack", side, seg.frame, "no ACK")
    options = seg.options
    if options.malformed:
        findings.add("bad-option", side, seg.frame, "malformed option")
    if flags & SYN:
        _syn(conversation, side, seg)
    else:
        if options.mss is not None or options.wscale is not None or options.sack_permitted:
            findings.add("option-late", side, seg.frame, "an option of a SYN")
        if not flags & RST:
            _after(conversation, side, seg)


def _odd_flags(flags: int) -> bool:
    control = flags & _CONTROL
    if not flags & (_CONTROL | PSH | URG) or (flags & SYN and flags & (FIN | RST)):
        return True
    return bool(flags & FIN and flags & RST) or control == FIN


def _syn(conversation: Conversation, side: int, seg: Seen) -> None:
    findings = conversation.findings
    if seg.src == seg.dst and seg.sport == seg.dport:
        findings.add("land", side, seg.frame)
    if any(is_multicast(address) or is_broadcast(address) for address in (seg.src, seg.dst)):
        findings.add("bad-address", side, seg.frame)
    if seg.options.wscale is not None and seg.options.wscale > 14:
        findings.add("scale-too-large", side, seg.frame)
    other = conversation.ends[1 - side]
    if seg.flags & ACK and other.isn is not None and not seg.flags & RST:
        over = (seg.ack - other.isn - 1) & MASK
        if over > conversation.syn_text:
            words = f"acknowledges {seg.ack}, and the SYN was {other.isn}"
            findings.add("bad-handshake", side, seg.frame, words, words)


def _after(conversation: Conversation, side: int, seg: Seen) -> None:
    sender, other = conversation.ends[side], conversation.ends[1 - side]
    findings = conversation.findings
    if sender.fin is not None and seg.length and unwrap(seg.seq, sender.fin) + seg.length > sender.fin:
        findings.add("after-fin", side, seg.frame, "beyond its FIN")
    third = not sender.acked_first and sender.syns > 0 and other.packets == other.syn_acks == 1
    if third and other.isn is not None and sender.isn is not None and seg.flags & (ACK | FIN) == ACK and not seg.length:
        wrong_ack = seg.ack != other.isn + 1 & MASK
        wrong_seq = (seg.seq - sender.isn - 1) & MASK > conversation.syn_text
        if wrong_ack or wrong_seq:
            findings.add("bad-handshake", side, seg.frame, "numbers do not fit")
