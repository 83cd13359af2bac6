"""Explicit Congestion Notification: what the SYNs agree on, and the feedback of RFC 3168.

A marking queue sets CE on text that says ECT.  Its receiver says ECE until the sender
says CWR: it has made its window smaller, as for a loss, once for a window of text.
Where both ends speak AccECN (``accecn``), the feedback is counters instead.
"""

from __future__ import annotations

from tulpen.tcp import accecn, judge
from tulpen.tcp.acking import hurry
from tulpen.tcp.config import Settings
from tulpen.tcp.ecn_state import ACE_UNHEARD, PLAIN_SYN, Ecn, Mode
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.state import TIME_WAIT
from tulpen.tcp.tcb import Tcb
from tulpen.wire.segment import ACK, AE, CE, CWR, ECE, ECN_FLAGS, ECT_0, NOT_ECT, SYN, Segment

# The handshake


def syn_flags(tcb: Tcb) -> int:
    """Return the flags by which our SYN asks for ECN; without them again, once SYNs were lost (tcp_ecn_fallback)."""
    settings = tcb.stack.settings
    if tcb.ecn is None and not tcb.retransmits and settings.tcp_ecn in (1, 3, 4):
        tcb.ecn = Ecn(Mode.PENDING)
    if tcb.ecn is None:
        return 0
    accurate = settings.tcp_ecn == 3
    if _gave_up_asking(tcb, accurate=accurate):
        return 0
    return ECE | CWR | AE if accurate else ECE | CWR


def _gave_up_asking(tcb: Tcb, *, accurate: bool) -> bool:
    """A SYN has gone without."""
    settings = tcb.stack.settings
    return settings.tcp_ecn_fallback and tcb.retransmits > settings.tcp_ecn_syn_retries + accurate


def asked_for(syn: Segment, settings: Settings) -> Ecn | None:
    """Return what their SYN asks for and the settings grant (RFC 3168 §6.1.1, RFC 9768 §3.1.2)."""
    asked = syn.flags & ECN_FLAGS
    if not asked:
        return None
    if asked != ECE | CWR and settings.tcp_ecn >= 3:
        ecn = Ecn(Mode.ACCURATE)
        ecn.syn_mark = ecn.last_mark = syn.ecn
        return ecn
    # An ECT mark on a classic SYN says that something on the way writes marks of its own.
    if asked & ~AE != ECE | CWR or not settings.tcp_ecn or (syn.ecn != NOT_ECT and not asked & AE):
        return None
    return Ecn(Mode.CLASSIC)


def syn_ack_flags(ecn: Ecn, retransmits: int) -> int:
    """Return the flags of our SYN,ACK: ECE, or the mark of the SYN, until that was lost twice (RFC 9768 §3.1.4.2)."""
    if ecn.mode is Mode.CLASSIC:
        return ECE
    if ecn.mode is Mode.ACCURATE and retransmits < 2:
        return accecn.handshake_field(ecn.syn_mark)
    return 0


def answered(tcb: Tcb, seg: Incoming) -> None:
    """Their SYN,ACK answers what our SYN asked for (RFC 3168 §6.1.1.1; RFC 9768 §3.1.2, table 2)."""
    ecn = tcb.ecn
    if ecn is None or ecn.mode is not Mode.PENDING:
        return
    accurate = tcb.stack.settings.tcp_ecn == 3
    if accecn.agreed(seg, asked=accurate):
        ecn.mode = Mode.ACCURATE
        accecn.syn_acknowledged(tcb, ecn, seg)
    elif seg.flags & (ECE | CWR) == ECE:
        ecn.mode = Mode.CLASSIC
        ecn.failures |= PLAIN_SYN * _gave_up_asking(tcb, accurate=accurate)
    else:
        tcb.ecn = None


def crossed(tcb: Tcb, seg: Incoming) -> None:
    """Their SYN crosses ours: both have asked (simultaneous open)."""
    ecn = tcb.ecn
    if ecn is None or ecn.mode is not Mode.PENDING:
        return
    tcb.ecn = asked_for(seg.segment, tcb.stack.settings)
    if tcb.ecn is not None and tcb.stack.settings.tcp_ecn != 3:
        tcb.ecn.mode = Mode.CLASSIC  # we asked for no more


def same_syn(tcb: Tcb, seg: Incoming) -> None:
    """Their SYN came again: the mark of the last one counts, and one that does not ask was tampered with."""
    ecn = tcb.ecn
    if ecn is not None and ecn.mode is Mode.ACCURATE:
        ecn.syn_mark = seg.segment.ecn
        if not seg.flags & ECN_FLAGS:
            ecn.failures |= ACE_UNHEARD


def completed(tcb: Tcb, seg: Incoming) -> None:
    """The handshake's last ACK has come."""
    ecn = tcb.ecn
    if ecn is not None and ecn.mode is Mode.ACCURATE:
        accecn.third_ack(tcb, ecn, seg)
        if seg.segment.flags & SYN:
            accecn.known_syn_again(ecn, seg)


def syn_again(tcb: Tcb, seg: Incoming) -> None:
    """A SYN for a connection that is open: AccECN tells its mark, if it is the SYN,ACK once more."""
    if tcb.ecn is not None and tcb.ecn.mode is Mode.ACCURATE:
        accecn.known_syn_again(tcb.ecn, seg)


# What comes in


def unacceptable(tcb: Tcb, ecn: Ecn, seg: Incoming) -> None:
    """A segment left of the window: a duplicate that AccECN counts, or the SYN,ACK once more."""
    if seg.flags & (SYN | ACK) == SYN | ACK:
        syn_again(tcb, seg)
    elif judge.reaches_last_ack(tcb, seg):
        arrived(tcb, ecn, seg)


def arrived(tcb: Tcb, ecn: Ecn, seg: Incoming) -> None:
    """An acceptable segment has come: its mark is counted."""
    if ecn.mode is Mode.ACCURATE:
        accecn.arrived(tcb, ecn, seg)


def text_arrived(tcb: Tcb, ecn: Ecn, seg: Incoming) -> None:
    """Text in the window has come: note its mark, and the sender's CWR (RFC 3168 §6.1.3)."""
    if ecn.mode is not Mode.CLASSIC:
        return
    if seg.flags & CWR:
        ecn.echo = False
        tcb.ack_now = True  # its window may have room for little more
    mark = seg.segment.ecn
    if mark == CE and not ecn.echo:
        hurry(tcb)
        ecn.echo = True
    elif mark == NOT_ECT and ecn.seen:
        hurry(tcb)  # text is sent so the second time only
    ecn.seen |= mark != NOT_ECT


# What goes out


def marks(tcb: Tcb, ecn: Ecn, flags: int, text: int, *, fresh: bool) -> tuple[int, int]:
    """Return the flags and the mark of a segment with ``text`` octets; ``fresh``: sent the first time."""
    if flags & SYN:
        return flags, NOT_ECT
    if ecn.mode is Mode.ACCURATE:
        return accecn.marks(tcb, ecn, flags, text)
    if ecn.mode is not Mode.CLASSIC or tcb.state is TIME_WAIT:
        return flags, NOT_ECT
    if ecn.echo:
        flags |= ECE
    if not (text and fresh) or ecn.failures & PLAIN_SYN:
        return flags, NOT_ECT  # §6.1.4 to §6.1.6: a pure ACK, a retransmission, a window probe
    if ecn.cwr_due:
        ecn.cwr_due = False
        flags |= CWR
    return flags, ECT_0


# What an acknowledgment says


def feedback(tcb: Tcb, ecn: Ecn, seg: Incoming, packets: int, octets: int) -> bool:
    """Take the feedback of an ACK; say whether any of what it newly delivers, or more, was marked CE."""
    if ecn.mode is Mode.ACCURATE:
        count = accecn.feedback(tcb, ecn, seg, packets, octets)
        marked = count > 0
    else:
        count = packets
        marked = ecn.mode is Mode.CLASSIC and seg.flags & (ECE | SYN) == ECE
    if marked:
        ecn.delivered_ce += count
        tcb.stack.count("TCPDeliveredCE", packets)
    return marked


def reduced(tcb: Tcb) -> None:
    """The window is made smaller, for whatever reason: the next new text tells of it (RFC 3168 §6.1.2)."""
    if tcb.ecn is not None and tcb.ecn.mode is Mode.CLASSIC:
        tcb.ecn.cwr_due = True


def restored(tcb: Tcb) -> None:
    """The reduction is taken back."""
    if tcb.ecn is not None:
        tcb.ecn.cwr_due = False
