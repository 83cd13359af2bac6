"""SEGMENT ARRIVES: RFC 9293 §3.10.7, step by step and in its order.

Read this file second, after ``state``.  Each step says whether to go on to the next.
A step never names the state that follows: it establishes a fact, and ``tcb.happened``
looks the state up.  Nothing here builds a data segment: a step marks what is owed
(``ack_now``, ``syn_due``) or queues a bare reply, and ``output`` decides what to send.
"""

from __future__ import annotations

import errno

from tulpen.tcp import acking, ecn, expected, fast_open, judge, progress, receive_window, text
from tulpen.tcp.answers import answer_invalid, challenge, may_answer, refuse
from tulpen.tcp.ending import end, linger
from tulpen.tcp.handshake import back_to_listen, established, synchronize, take_user_timeout
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.output import reset, reset_for
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import (
    CLOSED,
    FIN_PENDING,
    FIN_WAIT_2,
    LAST_ACK,
    LISTEN,
    MAY_RECEIVE,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
    Event,
)
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timeouts import wait_for_their_fin
from tulpen.tcp.trace import Arrived, Reason
from tulpen.wire.segment import ACK, FIN, RST, SYN, URG, Segment
from tulpen.wire.seq import unwrap


def segment_arrives(tcb: Tcb, segment: Segment, now: int) -> None:
    """§3.10.7.  ``now`` in nanoseconds."""
    if tcb.trace is not None:
        tcb.trace.write(Arrived(now, segment, tcb.state))
    if tcb.state is not LISTEN:
        tcb.intake.arrived(segment)  # a SYN for a listener is none of the connection's
    if expected.is_expected(tcb, segment):
        expected.take(tcb, segment, now)
    else:
        by_state(tcb, segment, now)


def by_state(tcb: Tcb, segment: Segment, now: int) -> None:
    """§3.10.7 at length: each state's part."""
    state = tcb.state
    if state is CLOSED:
        _in_closed(tcb, segment, now)
    elif segment.flags & SYN and judge.is_syn_fin(segment, tcb.stack.settings, listening=state is LISTEN):
        tcb.note(segment, Reason.SYN_FIN, now)
    elif state is LISTEN:
        _in_listen(tcb, Incoming(segment, segment.seq, segment.ack, segment.wnd), now)
    elif state is SYN_SENT:
        ack = unwrap(segment.ack, tcb.snd.una)
        _in_syn_sent(tcb, Incoming(segment, segment.seq, ack, segment.wnd), now)
    else:
        wnd = segment.wnd if segment.flags & SYN else segment.wnd << tcb.terms.snd_shift
        seq = unwrap(segment.seq, tcb.rcv.nxt)
        _in_other_states(tcb, Incoming(segment, seq, unwrap(segment.ack, tcb.snd.una), wnd), now)


def _in_closed(tcb: Tcb, segment: Segment, now: int) -> None:
    """§3.10.7.1."""
    if segment.flags & RST:
        tcb.note(segment, Reason.RST_TO_RST, now)
    else:
        refuse(tcb, segment, Reason.NO_CONNECTION, now)


def _in_listen(tcb: Tcb, seg: Incoming, now: int) -> None:
    """§3.10.7.2."""
    if seg.flags & RST:
        tcb.note(seg.segment, Reason.RST_IN_LISTEN, now)
    elif seg.flags & ACK and judge.refused_in_listen(seg.flags, tcb.stack.settings):
        refuse(tcb, seg.segment, Reason.ACK_IN_LISTEN, now)
    elif seg.flags & ACK:
        tcb.note(seg.segment, Reason.ACK_IN_LISTEN, now)
    elif not seg.flags & SYN:
        tcb.note(seg.segment, Reason.NO_SYN, now)
    else:
        synchronize(tcb, seg, now)
        tcb.ecn = ecn.asked_for(seg.segment, tcb.stack.settings)
        tcb.passive = True
        tcb.syn_due = True
        tcb.happened(Event.SYN, now)


def text_with_syn(tcb: Tcb, segment: Segment, now: int) -> None:
    """§3.10.7.2, third: what came with the SYN is processed in SYN-RECEIVED, at once (RFC 7413 §4.2.2)."""
    seg = Incoming(segment, segment.seq + 1, segment.ack, segment.wnd)
    seg.flags &= ~SYN
    _ = text.trim(tcb, seg, now) and _sixth_check_urg(tcb, seg) and text.seventh_process_text(tcb, seg, now)
    acking.taken_along(tcb)
    if tcb.fast_open is not None:
        tcb.fast_open.taken = tcb.receive_queue.octets > 0


def _in_syn_sent(tcb: Tcb, seg: Incoming, now: int) -> None:
    """§3.10.7.3."""
    acks_syn = bool(seg.flags & ACK)
    if acks_syn and (not judge.acks_our_syn(tcb, seg) or judge.echoes_nothing_of_ours(tcb, seg, now)):
        if seg.flags & RST:
            tcb.note(seg.segment, Reason.RST_WITHOUT_ACK, now)
        else:
            refuse(tcb, seg.segment, Reason.BAD_ECHO if judge.acks_our_syn(tcb, seg) else Reason.ACK_OF_NO_SYN, now)
        return
    if seg.flags & RST:
        if acks_syn:
            tcb.stack.count("AttemptFails")
            end(tcb, Event.RESET, now, error=errno.ECONNREFUSED)
        else:
            tcb.note(seg.segment, Reason.RST_WITHOUT_ACK, now)
        return
    # third, check the security: not implemented, as §3.10.7 permits
    if not seg.flags & SYN:
        tcb.note(seg.segment, Reason.NO_SYN, now)
        return
    synchronize(tcb, seg, now)
    if acks_syn:
        ecn.answered(tcb, seg)
        seg.seq += 1  # the SYN is dealt with; what follows it goes on at the sixth step
        seg.flags &= ~SYN
        established(tcb, seg, now)
        tcb.ack_now = True
        in_window = text.trim(tcb, seg, now)
        if judge.unsent(tcb) and not tcb.flight.sent:
            acking.handshake_answered(tcb, now)
        _ = (
            in_window
            and _sixth_check_urg(tcb, seg)
            and text.seventh_process_text(tcb, seg, now)
            and _eighth_check_fin(tcb, seg, now)
        )  # fmt: skip
    else:
        ecn.crossed(tcb, seg)
        tcb.syn_due = True  # again, with an ACK now: simultaneous open
        if seg.data and tcb.stack.settings.tcp_queue_syn_text:
            tcb.receive_queue.hold(seg.seq + 1, seg.data)  # for processing after ESTABLISHED
        tcb.happened(Event.SYN, now)


def _in_other_states(tcb: Tcb, seg: Incoming, now: int) -> None:
    """§3.10.7.4."""
    _ = (
        _first_check_sequence(tcb, seg, now)
        and _second_check_rst(tcb, seg, now)
        # third, check the security: not implemented, as §3.10.7 permits
        and _fourth_check_syn(tcb, seg, now)
        and _fifth_check_ack(tcb, seg, now)
        and _sixth_check_urg(tcb, seg)
        and text.seventh_process_text(tcb, seg, now)
        and _eighth_check_fin(tcb, seg, now)
    )


def _first_check_sequence(tcb: Tcb, seg: Incoming, now: int) -> bool:
    if tcb.state is TIME_WAIT:
        if judge.may_reopen(tcb, seg):
            end(tcb, Event.LINGERED, now)  # the host gives the SYN to its listener
            return False
        if tcb.stack.settings.tcp_tw_by_ack:
            return _in_time_wait_by_ack(tcb, seg, now)
    if tcb.state is SYN_RECEIVED and judge.strange_echo(tcb, seg, now):
        return _not_acceptable(tcb, seg, now, Reason.STRANGE_ECHO)
    if tcb.terms.timestamps and not seg.flags & RST:
        if judge.lacks_timestamp(tcb, seg):
            tcb.note(seg.segment, Reason.NO_TIMESTAMP, now)
            return False
        if judge.too_old(tcb, seg, now) and not judge.overtaken(tcb, seg):
            if judge.overtaken_before(tcb, seg):
                tcb.note(seg.segment, Reason.PAWS_OLD_ACK, now)
                return False
            return answer_invalid(tcb, seg, Reason.PAWS, now)
    if not (judge.acceptable(tcb, seg) or judge.crosses_our_syn(tcb, seg)):
        return _not_acceptable(tcb, seg, now)
    tcb.intake.heard_at = now
    if seg.flags & (SYN | ACK | RST) == SYN | ACK and seg.seq < tcb.rcv.nxt:
        acking.report_known_syn(tcb, seg)
    if not seg.flags & RST:
        return text.trim(tcb, seg, now)
    return True


def _in_time_wait_by_ack(tcb: Tcb, seg: Incoming, now: int) -> bool:
    """TIME-WAIT with tcp_tw_by_ack: no window, no PAWS; a FIN sent again restarts 2 MSL."""
    if seg.flags & RST:
        tcb.note(seg.segment, Reason.RST_IN_TIME_WAIT, now)
    elif not seg.flags & ACK:
        tcb.note(seg.segment, Reason.NO_ACK, now)
    elif judge.lacks_timestamp(tcb, seg):
        tcb.note(seg.segment, Reason.NO_TIMESTAMP, now)
    elif not judge.mere_duplicate(tcb, seg):
        tcb.note(seg.segment, Reason.OUT_OF_WINDOW, now)
        tcb.ack_now = True
        if seg.flags & FIN and seg.seq + seg.len == tcb.rcv.nxt:
            linger(tcb, now)
    return False


def _not_acceptable(tcb: Tcb, seg: Incoming, now: int, why: Reason = Reason.OUT_OF_WINDOW) -> bool:
    if seg.flags & RST:
        tcb.note(seg.segment, Reason.RST_OUT_OF_WINDOW if why is Reason.OUT_OF_WINDOW else why, now)
        return False
    if judge.same_syn_again(tcb, seg):
        ecn.same_syn(tcb, seg)
        if may_answer(tcb, now):
            tcb.syn_due = True  # a bare ACK would mean nothing to a peer in SYN-SENT
        else:
            tcb.note(seg.segment, Reason.RATE_LIMITED, now)
        return False
    if tcb.state is TIME_WAIT and seg.flags & FIN:
        linger(tcb, now)  # "acknowledge it, and restart the 2 MSL timeout"
    if seg.seq > tcb.rcv.nxt + judge.receive_window(tcb):
        tcb.stack.count("BeyondWindow")
    if tcb.ecn is not None:
        ecn.unacceptable(tcb, tcb.ecn, seg)
    acking.report_duplicate(tcb, seg)
    if judge.ack_counts(tcb, seg):
        tcb.note(seg.segment, Reason.OUT_OF_WINDOW, now)
        seg.trim(tcb.rcv.nxt, tcb.rcv.nxt)
        seg.flags &= ~FIN
        tcb.ack_now = True
        return True
    return answer_invalid(tcb, seg, why, now)


def _second_check_rst(tcb: Tcb, seg: Incoming, now: int) -> bool:
    """With the three checks of RFC 5961 §3; the window was the first of them."""
    if not seg.flags & RST:
        return True
    if tcb.state is TIME_WAIT and tcb.stack.settings.tcp_rfc1337:
        tcb.note(seg.segment, Reason.RST_IN_TIME_WAIT, now)
    elif not judge.resets(tcb, seg):
        fast_open.strange_reset(tcb, now)
        challenge(tcb, seg, Reason.RST_NOT_NEXT, now)
    elif judge.talks_early(tcb):
        tcb.stack.count("AttemptFails")
        end(tcb, Event.RESET, now, error=errno.ECONNRESET)  # its application may know of it already
    elif tcb.state is SYN_RECEIVED and tcb.passive:
        back_to_listen(tcb, now)
    elif tcb.state is SYN_RECEIVED:
        tcb.stack.count("AttemptFails")
        end(tcb, Event.RESET, now, error=errno.ECONNREFUSED)
    elif tcb.state is TIME_WAIT:
        end(tcb, Event.RESET, now)
    else:
        if not FIN_PENDING[tcb.state] and tcb.state is not FIN_WAIT_2:
            tcb.stack.count("EstabResets")
        end(tcb, Event.RESET, now, error=errno.EPIPE if judge.breaks_pipe(tcb) else errno.ECONNRESET)
    return False


def _fourth_check_syn(tcb: Tcb, seg: Incoming, now: int) -> bool:
    if not seg.flags & SYN:
        return True
    if judge.talks_early(tcb):
        refuse(tcb, seg.segment, Reason.SYN_BEFORE_ACK, now)  # a forged one is not to end what was begun
    elif tcb.state is SYN_RECEIVED and tcb.passive:
        back_to_listen(tcb, now)
        if tcb.stack.settings.tcp_resets_second_syn:
            tcb.reply(reset_for(seg.segment, tcb.stack.settings))
    elif tcb.stack.settings.tcp_insecure_syn:
        tcb.note(seg.segment, Reason.SYN_IN_WINDOW, now)
        tcb.reply(reset(tcb, now))
        end(tcb, Event.ABORT, now, error=errno.ECONNRESET)
    else:
        tcb.stack.count("TCPChallengeACK")
        ecn.syn_again(tcb, seg)
        challenge(tcb, seg, Reason.SYN_IN_SYNCHRONIZED, now)
    return False


def _fifth_check_ack(tcb: Tcb, seg: Incoming, now: int) -> bool:
    if not seg.flags & ACK:
        tcb.note(seg.segment, Reason.NO_ACK, now)
        return False
    if tcb.ecn is not None:
        ecn.arrived(tcb, tcb.ecn, seg)
    if tcb.state is SYN_RECEIVED:
        if not judge.acks_our_syn(tcb, seg):
            refuse(tcb, seg.segment, Reason.ACK_OF_NO_SYN, now)
            return False
        tcb.snd.wl1 = seg.seq - 1  # whatever the window was, this one counts
        ecn.completed(tcb, seg)
        established(tcb, seg, now)
        _process_syn_text(tcb, seg, now)
    elif seg.ack > tcb.snd.nxt:
        return challenge(tcb, seg, Reason.ACK_OF_UNSENT, now)
    elif seg.ack < tcb.snd.una and judge.too_old_an_ack(tcb, seg):
        return challenge(tcb, seg, Reason.ACK_TOO_OLD, now)
    else:
        progress.acknowledge(tcb, seg, now)
    tcb.intake.ack_at = now
    _note_timestamp(tcb, seg, now)
    if seg.options.user_timeout:
        take_user_timeout(tcb, seg)
    if FIN_PENDING[tcb.state] and judge.fin_acked(tcb):
        _our_fin_acked(tcb, now)
    return tcb.state is not CLOSED


def _process_syn_text(tcb: Tcb, seg: Incoming, now: int) -> None:
    """The text that their SYN carried was queued until now (§3.10.7.3)."""
    rcv, received = tcb.rcv, tcb.receive_queue
    if received.beyond is not None and received.beyond.starts[0] == rcv.nxt:
        before_it = rcv.nxt
        rcv.nxt = received.fill(rcv.nxt, rcv.nxt)
        rcv.wnd = max(0, rcv.wnd - (rcv.nxt - before_it))
        seg.trim(rcv.nxt, rcv.nxt + judge.receive_window(tcb))
        receive_window.text_arrived(tcb, seg, 0, now)
        acking.text_arrived(tcb, rcv.nxt - before_it, now)
        tcb.signal(Signal.READABLE)


def _sixth_check_urg(tcb: Tcb, seg: Incoming) -> bool:
    if not seg.flags & URG or not MAY_RECEIVE[tcb.state]:
        return True
    consumed = tcb.rcv.nxt - tcb.receive_queue.octets
    if seg.up > max(tcb.rcv.up, consumed):
        tcb.rcv.up = seg.up
        tcb.signal(Signal.URGENT)  # it advanced (MUST-32)
    return True


def _eighth_check_fin(tcb: Tcb, seg: Incoming, now: int) -> bool:
    rcv = tcb.rcv
    if not MAY_RECEIVE[tcb.state]:
        if tcb.state is TIME_WAIT and seg.flags & FIN:
            tcb.ack_now = True
            linger(tcb, now)
        return True  # a FIN was received before: remain in the state
    if seg.flags & FIN:
        after_text = seg.seq + len(seg.data)
        if (rcv.fin < 0 or after_text == rcv.nxt) and not tcb.receive_queue.holds_beyond(after_text):
            rcv.fin = after_text  # in its order it counts, whatever another beyond a hole has said
        tcb.ack_now |= rcv.fin != rcv.nxt
    if rcv.fin == rcv.nxt:
        rcv.nxt += 1
        rcv.wnd = max(0, rcv.wnd - 1)
        tcb.receive_queue.forget_held()
        acking.fin_arrived(tcb, now)
        tcb.signal(Signal.READABLE)
        tcb.signal(Signal.EOF)
        tcb.happened(Event.FIN, now)
        if tcb.state is TIME_WAIT:
            linger(tcb, now)
    return True


def _our_fin_acked(tcb: Tcb, now: int) -> None:
    """FIN-WAIT-1, CLOSING and LAST-ACK of the fifth step."""
    if tcb.state is LAST_ACK:
        end(tcb, Event.FIN_ACKED, now)
        return
    tcb.happened(Event.FIN_ACKED, now)
    if tcb.state is TIME_WAIT:
        linger(tcb, now)
    elif tcb.orphan:
        wait_for_their_fin(tcb, now)


def _note_timestamp(tcb: Tcb, seg: Incoming, now: int) -> None:
    """RFC 7323 §4.3: keep the timestamp of the segment that the last ACK would have asked for.

    The ACK is judged before, so that a forged segment must know its number too.  A timestamp older than TS.Recent
    counts where TS.Recent is no longer valid (§5.5).
    """
    tsval = seg.options.tsval
    if tsval is None or seg.begin > tcb.last_ack_sent or not tcb.terms.timestamps or tcb.state is CLOSED:
        return
    if not judge.too_old(tcb, seg, now):
        tcb.ts_recent = tsval
        tcb.ts_recent_at = now
