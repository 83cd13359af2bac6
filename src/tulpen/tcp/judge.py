"""The named questions that RFC 9293 §3.8 and §3.10 ask of a connection and a segment.

Every function is a pure predicate: it changes nothing.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp.accecn import room_for_option
from tulpen.tcp.config import MS, SECOND, Settings
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.negotiate import SACK_BLOCK, SACK_HEADER, USER_TIMEOUT_ROOM, most_blocks, timestamp
from tulpen.tcp.state import (
    CLOSE_WAIT,
    FIN_PENDING,
    MAY_RECEIVE,
    MAY_TALK_EARLY,
    SYN_RECEIVED,
    SYNCHRONIZED,
    TIME_WAIT,
)
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER
from tulpen.wire.segment import ACK, ECN_FLAGS, FIN, RST, SYN, Segment
from tulpen.wire.seq import before, wrap

#: How long TS.Recent stays valid on an idle connection (RFC 7323 §5.5).
PAWS_DAYS: Final = 24 * 86_400 * SECOND
MOST_BLOCKS: Final = 4  # of SACK in one segment (RFC 2018 §3)
MAX_WINDOW: Final = 0xFFFF  # of the window field


def acceptable(tcb: Tcb, seg: Incoming) -> bool:
    """Table 6 of §3.10.7.4, with the allowances it asks for.

    At a zero window a segment at RCV.NXT passes for its ACK, URG and RST (MUST-66).
    A segment without text at the right edge passes for its ACK (Appendix A.2).
    A RST or SYN counts by its own number (RFC 5961 §3.2, §4.2): text behind it does not
    bring it into the window.
    """
    nxt, wnd = tcb.rcv.nxt, receive_window(tcb)
    if wnd == 0:
        return seg.seq == nxt
    edge = nxt + wnd
    if seg.flags & (RST | SYN):
        return nxt <= seg.seq < edge
    length = seg.len
    if length == 0:
        return nxt <= seg.seq <= edge
    return nxt <= seg.seq < edge or nxt <= seg.seq + length - 1 < edge


def too_old(tcb: Tcb, seg: Incoming, now: int) -> bool:
    """PAWS (RFC 7323 §5.3, R1): the timestamp lies before TS.Recent, and TS.Recent is valid."""
    tsval = seg.options.tsval
    return tsval is not None and before(tsval, tcb.ts_recent) and now - tcb.ts_recent_at < PAWS_DAYS


def overtaken(tcb: Tcb, seg: Incoming) -> bool:
    """Whether an old timestamp is that of a mere ACK which another overtook, and which does no harm (Linux)."""
    tsval, snd = seg.options.tsval, tcb.snd
    if tsval is None or not _mere_ack(tcb, seg) or seg.seq != tcb.rcv.nxt or seg.ack != snd.una:
        return False
    if snd.wl1 < seg.seq or seg.wnd > snd.wnd or not seg.wnd:
        return False  # it would change the window
    return wrap(tcb.ts_recent - tsval) * MS <= tcb.rtt.timeout() * 6 // 5


def overtaken_before(tcb: Tcb, seg: Incoming) -> bool:
    """Whether an old timestamp is that of a mere ACK from before text that has come since: no answer is due (Linux)."""
    return _mere_ack(tcb, seg) and seg.seq < tcb.rcv.nxt


def _mere_ack(tcb: Tcb, seg: Incoming) -> bool:
    return tcb.stack.settings.tcp_paws_spares_acks and not seg.len and bool(seg.flags & ACK)


def lacks_timestamp(tcb: Tcb, seg: Incoming) -> bool:
    """Timestamps were agreed, and the segment has none (RFC 7323 §3.2).

    A SYN may be that of a peer which has restarted: it has to be answered.
    """
    if not tcb.terms.timestamps or tcb.stack.settings.tcp_tolerate_missing_ts:
        return False
    return seg.options.tsval is None and not seg.flags & (RST | SYN)


def mere_duplicate(tcb: Tcb, seg: Incoming) -> bool:
    """The ACK that the connection in TIME-WAIT has had before: nothing new, nothing to answer."""
    return seg.flags & ~ECN_FLAGS == ACK and not seg.data and seg.seq == tcb.rcv.nxt and seg.ack == tcb.snd.nxt


def refused_in_listen(flags: int, settings: Settings) -> bool:
    """Whether a segment with an ACK is answered with a reset in LISTEN (§3.10.7.2): FreeBSD leaves out SYN,ACKs."""
    return not flags & SYN or settings.tcp_listen_resets_syn_ack


def may_reopen(tcb: Tcb, seg: Incoming) -> bool:
    """A SYN in TIME-WAIT that belongs to a new connection (RFC 6191 §2; §3.6.1 MAY-2)."""
    if seg.flags & (SYN | ACK | RST) != SYN:
        return False
    if tcb.stack.settings.tcp_tw_by_ack:
        return seg.seq > tcb.rcv.nxt
    if seg.flags & FIN:
        return False
    tsval = seg.options.tsval
    if tsval is not None and tcb.stack.settings.tcp_timestamps:
        if not tcb.terms.timestamps:
            return True  # the new connection has what tells its segments from the old one's
        if tsval != tcb.ts_recent:
            return before(tcb.ts_recent, tsval)
    return seg.seq >= tcb.rcv.nxt


def resets(tcb: Tcb, seg: Incoming) -> bool:
    """Whether a RST in the window ends the connection: at RCV.NXT (RFC 5961 §3.2), or anywhere, as RFC 793 had it."""
    return seg.seq == tcb.rcv.nxt or tcb.stack.settings.tcp_insecure_rst


def is_syn_fin(segment: Segment, settings: Settings, *, listening: bool) -> bool:
    """Whether it is dropped for having both SYN and FIN (tcp_drop_synfin)."""
    if segment.flags & (SYN | FIN) != SYN | FIN:
        return False
    return settings.tcp_drop_synfin == 2 or (listening and settings.tcp_drop_synfin == 1)


def crosses_our_syn(tcb: Tcb, seg: Incoming) -> bool:
    """The SYN,ACK of a simultaneous open (Figure 7): its SYN is known, its ACK is news."""
    return (
        tcb.state is SYN_RECEIVED
        and not tcb.passive
        and seg.flags & (SYN | ACK | RST) == SYN | ACK
        and seg.seq == tcb.rcv.irs
        and seg.ack == tcb.snd.nxt
    )


def same_syn_again(tcb: Tcb, seg: Incoming) -> bool:
    """The peer sends its SYN again: our SYN,ACK has not reached it."""
    return tcb.state is SYN_RECEIVED and seg.flags & (SYN | ACK) == SYN and seg.seq == tcb.rcv.irs


def sends_plain_syn(tcb: Tcb) -> bool:
    """Whether the SYN goes without options: they may be what keeps it from being answered (tcp_plain_syn_after)."""
    most = tcb.stack.settings.tcp_plain_syn_after
    return 0 < most < tcb.retransmits


def acks_our_syn(tcb: Tcb, seg: Incoming) -> bool:
    """SND.UNA < SEG.ACK =< SND.NXT while the SYN is outstanding (§3.10.7.3, §3.10.7.4 fifth)."""
    return tcb.snd.una < seg.ack <= tcb.snd.nxt


def echoes_nothing_of_ours(tcb: Tcb, seg: Incoming, now: int) -> bool:
    """Whether the SYN,ACK echoes a timestamp that no SYN of ours can have had (RFC 7323 §3.2)."""
    options, sent = seg.options, tcb.flight.sent
    if options.tsval is None or not options.tsecr or not sent or not tcb.stack.settings.tcp_timestamps:
        return False
    first, last = timestamp(sent[0].first_at, tcb.ts_offset), timestamp(now, tcb.ts_offset)
    return before(options.tsecr, first) or before(last, options.tsecr)


def reaches_last_ack(tcb: Tcb, seg: Incoming) -> bool:
    """Whether a segment left of the window reaches up to the last ACK we sent: it comes from this round trip."""
    return not seg.flags & (SYN | RST) and tcb.last_ack_sent <= seg.seq + len(seg.data) <= tcb.rcv.nxt


def strange_echo(tcb: Tcb, seg: Incoming, now: int) -> bool:
    """Whether a segment for a half-open connection echoes a timestamp that no SYN,ACK of ours can have had."""
    if not tcb.passive or not tcb.terms.timestamps or tcb.fast_open is not None:
        return False
    return echoes_nothing_of_ours(tcb, seg, now)


def too_old_an_ack(tcb: Tcb, seg: Incoming) -> bool:
    """SEG.ACK < SND.UNA - MAX.SND.WND (RFC 5961 §5.2, MAY-12), or it is of nothing that we ever sent."""
    return seg.ack < max(tcb.snd.una - tcb.snd.max_wnd, tcb.snd.iss + tcb.passive)


def ack_counts(tcb: Tcb, seg: Incoming) -> bool:
    """Whether a segment that lies left of the window is taken for its ACK (tcp_acks_in_duplicates)."""
    if not tcb.stack.settings.tcp_acks_in_duplicates or seg.flags & (SYN | RST) or not SYNCHRONIZED[tcb.state]:
        return False
    return seg.seq < tcb.rcv.nxt and tcb.state is not TIME_WAIT


def breaks_pipe(tcb: Tcb) -> bool:
    """Whether a RST is told as EPIPE, as Linux does when the peer had closed."""
    return tcb.state is CLOSE_WAIT and tcb.stack.settings.tcp_reset_epipe


def duplicate_ack(tcb: Tcb, seg: Incoming) -> bool:
    """A duplicate acknowledgment (RFC 5681 §2); ask before the window is updated."""
    snd = tcb.snd
    return (
        seg.ack == snd.una
        and not seg.data
        and not seg.flags & (SYN | FIN)
        and bool(tcb.flight.sent)
        and (seg.wnd == snd.wnd or bool(seg.options.sack and tcb.terms.sack))
    )


def user_timeout(tcb: Tcb) -> int:
    """Milliseconds; 0: R2 decides.  What the application asked for stands before what the peer did (RFC 5482 §3.1)."""
    if tcb.options.tcp_user_timeout or SYNCHRONIZED[tcb.state]:
        return tcb.options.tcp_user_timeout or tcb.user_timeout
    opening = tcb.options.tcp_keepinit
    return (tcb.stack.settings.tcp_keepinit if opening is None else opening) * 1000


def unanswered_since(tcb: Tcb) -> int:
    """From when on the user timeout counts for what is in flight; -1: it does not yet."""
    if tcb.stack.settings.tcp_user_timeout_by_rto and SYNCHRONIZED[tcb.state]:
        return tcb.loss.resent_at
    return tcb.flight.sent[0].first_at


def shut_since(tcb: Tcb) -> int:
    """From when on it counts for text that the window holds back; -1: it does not yet."""
    return tcb.probing_since if tcb.stack.settings.tcp_user_timeout_by_rto else tcb.intake.heard_at


def window_was_the_limit(tcb: Tcb) -> bool:
    """Whether the congestion window held text back, so that it may grow (RFC 7661 §4.3)."""
    if tcb.usage.limited:
        return True
    return tcb.cc.cwnd < tcb.cc.ssthresh and tcb.cc.cwnd < 2 * tcb.usage.most


def newer_window(tcb: Tcb, seg: Incoming) -> bool:
    """SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK) (§3.10.7.4 fifth)."""
    snd = tcb.snd
    return snd.wl1 < seg.seq or (snd.wl1 == seg.seq and snd.wl2 <= seg.ack)


def repeats_fin(tcb: Tcb) -> bool:
    """Whether an ACK carries our FIN again: it is sent, and not acknowledged."""
    return tcb.stack.settings.tcp_fin_again and FIN_PENDING[tcb.state] and 0 <= tcb.snd.fin < tcb.snd.nxt


def fin_acked(tcb: Tcb) -> bool:
    """Our FIN stands before SND.UNA."""
    return 0 <= tcb.snd.fin < tcb.snd.una


def unsent(tcb: Tcb) -> int:
    """D of §3.8.6.2.1: octets queued and not sent, a FIN counted as one."""
    snd, end = tcb.snd, tcb.queue.end
    if snd.fin >= 0:
        end += 1
    return end - snd.nxt if end > snd.nxt else 0


def talks_early(tcb: Tcb) -> bool:
    """Whether text is sent and taken before the handshake ends (RFC 7413 §4.2.2)."""
    return MAY_TALK_EARLY[tcb.state] and tcb.fast_open is not None and tcb.fast_open.passive


def ends_syn_text(tcb: Tcb, seq: int, end: int) -> bool:
    """Whether [seq, end) reaches up to where the text beside our SYN ended: that was all there was to push."""
    fast = tcb.fast_open
    return fast is not None and bool(fast.text) and seq <= tcb.snd.iss + fast.text < end


def takes_text(tcb: Tcb) -> bool:
    """Whether segment text is taken (§3.10.7.4, seventh)."""
    return MAY_RECEIVE[tcb.state] or talks_early(tcb)


def usable_window(tcb: Tcb) -> int:
    """U of §3.8.6.2.1: SND.UNA + SND.WND - SND.NXT; negative after the window shrank (MUST-34)."""
    snd = tcb.snd
    oldest = snd.una if snd.una > snd.iss else oldest_text(tcb)
    return oldest + snd.wnd - snd.nxt


def oldest_text(tcb: Tcb) -> int:
    """SND.UNA, or what follows our SYN: that takes room in no window (RFC 9293 §3.4)."""
    return max(tcb.snd.una, tcb.snd.iss + 1)


def worth_sending(tcb: Tcb, octets: int, *, last: bool) -> bool:
    """Whether less than a full segment may go now (§3.8.6.2.1; Nagle, §3.7.4).

    ``octets`` is what min(D, U) within the congestion window leaves beside full segments;
    ``last``: no text stays behind.
    """
    snd = tcb.snd
    if tcb.override:
        return True
    if last and snd.fin >= 0:
        return True  # nothing can follow that would fill it
    if last and snd.freed > snd.nxt:
        return True
    if tcb.options.tcp_cork:
        return False
    idle = snd.nxt == oldest_text(tcb) or tcb.options.tcp_nodelay
    if last and snd.due > snd.nxt:
        return idle or (tcb.stack.settings.tcp_nagle_small and snd.small <= snd.una)
    return idle and octets >= max(1, snd.max_wnd // 2)


def has_little_to_say(tcb: Tcb) -> bool:
    """Whether the next segment has timestamps at most among its options: no holes to report, no marks, no timeout."""
    received = tcb.receive_queue
    return not (
        received.beyond is not None
        or received.duplicate is not None
        or tcb.ecn is not None
        or tcb.stack.settings.tcp_user_timeout_option
    )


def sack_blocks(tcb: Tcb) -> int:
    """How many SACK blocks the next segment carries: as many as there are, and room for."""
    if tcb.receive_queue.beyond is None and tcb.receive_queue.duplicate is None:
        return 0
    return min(len(sack_report(tcb)), most_blocks(tcb.terms))


def reports_duplicate(seg: Incoming, blocks: list[tuple[int, int]]) -> bool:
    """Whether the first SACK block tells of what came twice: acknowledged, or within the second (RFC 2883 §4)."""
    if not blocks:
        return False
    left, right = blocks[0]
    return right <= seg.ack or (len(blocks) > 1 and blocks[1][0] <= left and right <= blocks[1][1])


def sack_report(tcb: Tcb) -> list[tuple[int, int]]:
    """What SACK has to say: first what came twice (RFC 2883 §4), then what is held (RFC 2018 §4)."""
    received = tcb.receive_queue
    if not tcb.terms.sack:
        return []
    if received.duplicate is None or not tcb.stack.settings.tcp_dsack:
        return received.latest(MOST_BLOCKS)
    return [received.duplicate, *received.latest(MOST_BLOCKS)]


def owes_user_timeout(tcb: Tcb) -> bool:
    """With tcp_user_timeout_option, the user timeout has not been told, or not this one (RFC 5482 §3).

    It waits while SACK needs the room.
    """
    return (
        tcb.options.tcp_user_timeout not in (0, tcb.user_timeout_told)
        and tcb.smss > 2 * USER_TIMEOUT_ROOM
        and not sack_blocks(tcb)
    )


def full_segment(tcb: Tcb) -> int:
    """Octets of text in a full segment, beside the further options it carries now (§3.7.1 MUST-16).

    At least half of the MSS: where that is little, fewer SACK blocks are sent.
    """
    if has_little_to_say(tcb):
        return tcb.smss
    blocks = sack_blocks(tcb)
    counters = 0 if tcb.ecn is None else room_for_option(tcb, tcb.ecn, blocks)
    if tcb.stack.settings.tcp_user_timeout_option and owes_user_timeout(tcb):
        counters += USER_TIMEOUT_ROOM
    if blocks or counters:
        room = counters + (SACK_HEADER + SACK_BLOCK * blocks if blocks else 0)
        return max(tcb.smss - room, (tcb.smss + 1) // 2)
    return tcb.smss


def receive_window(tcb: Tcb) -> int:
    """Octets from RCV.NXT on that are acceptable: what was offered, or all the room where that is always told."""
    rcv = tcb.rcv
    if rcv.memory is not None:
        return max(rcv.wnd, rcv.edge - rcv.nxt)
    if tcb.stack.settings.tcp_window_steps or (tcb.state is SYN_RECEIVED and tcb.passive):
        return rcv.wnd
    return max(rcv.wnd, rcv.buff - tcb.receive_queue.octets)


def window_to_open(tcb: Tcb) -> int:
    """Octets by which the receive window could grow, 0 while it would be silly (§3.8.6.2.2)."""
    rcv = tcb.rcv
    shift = tcb.terms.rcv_shift
    room = rcv.buff - tcb.receive_queue.octets
    if tcb.stack.settings.tcp_window_steps:
        gain = min(room, MAX_WINDOW << shift) - rcv.wnd  # no more can be said
        return gain if gain >= min(rcv.buff // 2, tcb.rcv_mss) else 0
    if room < min(rcv.buff // 4, tcb.smss):
        return 0
    return max(0, (min(-(-room >> shift), MAX_WINDOW) << shift) - rcv.wnd)


def may_round_up(tcb: Tcb, window: int) -> bool:
    """Whether ``window``, rounded up to its scale, may be told: there is room, or no text counts on what there is."""
    unread = tcb.receive_queue.octets
    return not unread or window <= tcb.rcv.buff - unread or not tcb.stack.settings.tcp_window_steps


def tells_of_room(tcb: Tcb) -> bool:
    """Whether the octets just read make a window update worth a segment of its own."""
    rcv, share = tcb.rcv, tcb.stack.settings.tcp_window_update_share
    gain = window_to_open(tcb)
    if not share:
        return gain > 0 and gain >= rcv.wnd
    if tcb.timers.delayed_ack != NEVER or gain < 2 * tcb.smss:
        return 2 * gain >= rcv.buff and tcb.timers.delayed_ack == NEVER
    return gain * share >= rcv.buff or rcv.buff <= 2 * share * tcb.smss or (rcv.wnd + gain) * 2 * share <= rcv.buff
