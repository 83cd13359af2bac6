"""What a connection sends: the only place segments are built from a TCB.

``segments_to_send`` gives in turn the bare replies that are due, the SYN, what is to be
sent again, what is new, and an ACK if one is still owed.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp import (
    accecn,
    acking,
    buffer,
    clocks,
    ecn,
    fast_open,
    judge,
    pacing,
    path_mtu,
    receive_window,
    sizing,
    spurious,
    window,
)
from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.ecn_state import Mode
from tulpen.tcp.flight import Sent
from tulpen.tcp.judge import MAX_WINDOW
from tulpen.tcp.loss import LOSS, RECOVERY, Resend
from tulpen.tcp.negotiate import SACK_BLOCK, SACK_HEADER, accept, offer, timestamp
from tulpen.tcp.nothing import NOTHING
from tulpen.tcp.recovery import last_resort
from tulpen.tcp.sizing import first_stretch, next_size
from tulpen.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER
from tulpen.tcp.trace import Sent as SentRecord
from tulpen.tcp.window import pipe
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, FIN, NOT_ECT, PSH, RST, SYN, URG, Segment
from tulpen.wire.seq import MASK, wrap

OVERRIDE: Final = 1 * SECOND  # the most that RFC 9293 §3.8.6.2.1 lets less than a segment wait


def segments_to_send(tcb: Tcb, now: int) -> list[Segment]:
    """Return everything that may go out now, and account for it."""
    out, tcb.replies = tcb.replies or [], NOTHING
    state = tcb.state
    if state is not CLOSED and state is not LISTEN:
        if tcb.syn_due:
            out.append(_syn(tcb, now))
        if state is not SYN_SENT:
            if (state is not SYN_RECEIVED or judge.talks_early(tcb)) and (tcb.flight.sent or judge.unsent(tcb)):
                _send_text(tcb, now, out)
            if tcb.ack_now:
                out.append(_fin_again(tcb, now) if judge.repeats_fin(tcb) else bare_ack(tcb, now))
        limit = sizing.what_limits(tcb)
        if limit is not tcb.outgo.limit:
            tcb.outgo.limited(limit, now)
    for segment in out:
        if not (tcb.passive and segment.flags & SYN):  # as Linux, whose SYN,ACKs are not a connection's
            tcb.outgo.sent(len(segment.data), segment.gso_size)
        if tcb.trace is not None:
            tcb.trace.write(SentRecord(now, segment, state))
    return out


def _send_text(tcb: Tcb, now: int, out: list[Segment]) -> None:
    """What is to be sent again, and what is new; while the device takes nothing it only waits."""
    if tcb.stack.choked:
        send_new(tcb, now, out)
        return
    if tcb.rack.probe_due:
        _send_probe(tcb, now, out)
    if tcb.flight.lost_octets or tcb.loss.resend is Resend.AFTER_NEW:
        _resend(tcb, now, out)
    send_new(tcb, now, out)
    if tcb.loss.phase is RECOVERY:
        _resend_unproved(tcb, now, out)


def _syn(tcb: Tcb, now: int) -> Segment:
    """SYN, or SYN,ACK once their SYN is known; the first time and again."""
    snd, settings = tcb.snd, tcb.stack.settings
    tcb.syn_due = False
    first = not tcb.flight.sent
    if first:
        tcb.flight.transmitted(snd.iss, snd.iss + 1, 1, now)
        snd.nxt = snd.iss + 1
        clocks.start_again(tcb, now, now)
    else:
        tcb.flight.retransmitted(tcb.flight.sent[0], now)
        tcb.loss.resent_total += 1
        tcb.stack.count("RetransSegs")
    clock = timestamp(now, tcb.ts_offset)
    room = receive_window.begin(tcb)
    if tcb.state is SYN_SENT:
        plain = judge.sends_plain_syn(tcb)
        told = _user_timeout(tcb)
        options = offer(tcb.options, settings, tcb.rcv_mss, clock, told, plain=plain, signed=tcb.terms.signed)
        options = NO_OPTIONS if tcb.options.tcp_noopt else options
        text: bytes | memoryview = b""
        if first and tcb.fast_open is not None:
            options = fast_open.with_option(tcb, options)
            text = fast_open.text_beside_syn(tcb, now)
        return _segment(tcb, snd.iss, 0, SYN | ecn.syn_flags(tcb), room, text, options)
    tcb.ack_now = False
    tcb.last_ack_sent = tcb.rcv.nxt
    options = accept(tcb.terms, tcb.rcv_mss, clock, tcb.ts_recent)
    if first and tcb.fast_open is not None:
        options = fast_open.with_option(tcb, options)
    flags = SYN | ACK
    if tcb.ecn is not None:
        flags |= ecn.syn_ack_flags(tcb.ecn, tcb.retransmits if tcb.passive else 0)
        if tcb.ecn.mode is Mode.ACCURATE and (first if tcb.passive else tcb.retransmits < 2):
            options = accecn.syn_ack_option(settings.tcp_ecn_option, options, tcb.terms.signed)
    return _segment(tcb, snd.iss, tcb.rcv.nxt, flags, room, b"", options)


def _resend(tcb: Tcb, now: int, out: list[Segment]) -> None:
    """What is deemed lost, oldest first, as recovery and the congestion window allow (RFC 6675 §5 step C)."""
    loss, flight, full = tcb.loss, tcb.flight, judge.full_segment(tcb)
    if loss.resend is Resend.AFTER_NEW:
        send_new(tcb, now, out, free=True)
        loss.frto = tcb.snd.nxt > loss.point  # there was new text: what it brings tells (RFC 5682 §2.1)
        loss.resend = Resend.LATER if loss.frto else Resend.NOW
    while loss.resend is Resend.NOW and (piece := flight.to_resend()) is not None:
        room = tcb.cc.cwnd - pipe(tcb)
        size = piece.end - piece.seq
        if room < min(size, full):
            if not loss.force_resend:
                break
            room = full
        if not (loss.force_resend and loss.phase is LOSS) and pacing.holds(tcb, now):
            break
        loss.force_resend = False
        most = max(full, min(room, tcb.gso_max))
        if size > most:
            flight.split(piece, piece.seq + most - most % full)
        piece.cut = full
        _again(tcb, piece, now, out)


def _resend_unproved(tcb: Tcb, now: int, out: list[Segment]) -> None:
    """What nothing proves lost, where neither loss nor new text keeps acknowledgments coming (RFC 6675 §5 step C)."""
    while tcb.cc.cwnd - pipe(tcb) >= tcb.smss and (piece := last_resort(tcb)) is not None:
        _again(tcb, piece, now, out)


def _again(tcb: Tcb, piece: Sent, now: int, out: list[Segment]) -> None:
    """The stretch as it stands in the queue, whatever segments carried it before."""
    if tcb.path is not None:
        tcb.path.probe = 0  # what comes of a probe in flight tells nothing now (RFC 4821 §7.6.4)
    tcb.flight.retransmitted(piece, now)
    spurious.resent(tcb, piece.segments, now)
    window.went_out(tcb, piece.end - piece.seq)
    tcb.stack.count("RetransSegs")
    tcb.outgo.resent(piece.segments, piece.end - piece.seq)
    tcb.stack.count("TCPSlowStartRetrans" if tcb.loss.phase is LOSS else "TCPFastRetrans")
    tcb.sent_at = now
    if pacing.paces(tcb):
        pacing.left(tcb, piece.end - piece.seq, now)
    if piece is tcb.flight.sent[0] and tcb.timers.reorder == NEVER:
        clocks.start_again(tcb, now, now)
    _transmit(tcb, piece, now, out)


def _send_probe(tcb: Tcb, now: int, out: list[Segment]) -> None:
    """Tail Loss Probe (RFC 8985 §7.3): one new segment whatever the congestion window, or the last one again."""
    rack, flight = tcb.rack, tcb.flight
    rack.probe_due = False
    if not flight.sent:
        return
    full = judge.full_segment(tcb)
    size = min(first_stretch(tcb, full), judge.usable_window(tcb), full)
    rack.probe_resent = size <= 0
    if size > 0:
        end = tcb.snd.nxt + size
        piece = flight.transmitted(tcb.snd.nxt, end, full, now, push=tcb.queue.sent(end))
        tcb.snd.nxt = end
        out.append(_stretch(tcb, piece, now))
        if pacing.paces(tcb):
            pacing.left(tcb, size, now)
    else:
        last = flight.sent[-1]
        if last.segments > 1:
            flight.split(last, last.seq + (last.segments - 1) * last.cut)
            last = flight.sent[-1]
        flight.probed(last, now)
        tcb.loss.resent_total += 1
        tcb.stack.count("RetransSegs")
        tcb.outgo.resent(last.segments, last.end - last.seq)
        out.append(_stretch(tcb, last, now))
    tcb.sent_at = now
    rack.probe_end = tcb.snd.nxt


def send_new(tcb: Tcb, now: int, out: list[Segment], *, one: bool = False, free: bool = False) -> None:
    """New text and the FIN, as both windows, Nagle and silly window avoidance allow.

    ``one``: one stretch at most, or what of it a device gets at a time; ``free``: neither Nagle nor a cork hold any.
    """
    snd, flight = tcb.snd, tcb.flight
    if not judge.unsent(tcb):
        tcb.timers.persist = NEVER
        return
    if not flight.sent and tcb.sent_at >= 0 and judge.usable_window(tcb) > 0:
        window.after_idle(tcb, now)
    before, paced = snd.nxt, pacing.paces(tcb)
    first = tcb.queue.stretches[0].end if tcb.queue.stretches and not tcb.gso_max else before
    searches = tcb.path is not None and tcb.path.searching and not (one or pacing.holds(tcb, now))
    waits = searches and _probe_path(tcb, now, out)
    room, plain = tcb.cc.cwnd - pipe(tcb), judge.has_little_to_say(tcb)
    while judge.unsent(tcb) and not (waits or tcb.stack.choked or (paced and pacing.holds(tcb, now))):
        full = tcb.smss if plain else judge.full_segment(tcb)
        size, fin = next_size(tcb, full, room, now, one=one, free=free)
        if size == 0 and not fin:
            break
        end = snd.nxt + size + fin
        pushed = tcb.queue.sent(end - fin) or (tcb.override and end == tcb.queue.end)
        piece = flight.transmitted(snd.nxt, end, full, now, push=pushed)
        snd.nxt = end
        room -= size + fin
        if size % full:
            snd.small = end
        _transmit(tcb, piece, now, out)
        tcb.sent_at = now
        acking.text_sent(tcb, now)
        tcb.override = False
        if paced:
            pacing.left(tcb, size, now)
        if one and end >= first:
            break
    if snd.nxt > before:
        buffer.tell_of_room(tcb)
        tcb.probing_since = -1
        window.went_out(tcb, snd.nxt - before)
        window.note_usage(tcb, now)
        clocks.text_went_out(tcb, now)
        tcb.outgo.starved = tcb.wants_room and not judge.unsent(tcb) and not judge.window_was_the_limit(tcb)
    if flight.sent or not judge.unsent(tcb):
        tcb.timers.persist = NEVER
    elif tcb.timers.persist == tcb.timers.pace == NEVER:
        wait = tcb.rtt.timeout()
        tcb.timers.persist = now + (wait if snd.wnd == 0 else min(wait, OVERRIDE))


def _probe_path(tcb: Tcb, now: int, out: list[Segment]) -> bool:
    """Send a segment larger than the others, where it is time for that; say whether to wait until it is."""
    size = path_mtu.wants_probe(tcb, now)
    if size > 0:
        start = tcb.snd.nxt
        tcb.snd.nxt += size
        tcb.queue.sent(tcb.snd.nxt)
        segment = _stretch(tcb, tcb.flight.transmitted(start, tcb.snd.nxt, size, now), now)
        segment.flags &= ~PSH
        segment.gso_size = 0  # no device is to cut it
        out.append(segment)
        tcb.sent_at = now
        path_mtu.probe_sent(tcb, start, tcb.snd.nxt)
        if pacing.paces(tcb):
            pacing.left(tcb, size, now)
        acking.text_sent(tcb, now)
    return size < 0


def _transmit(tcb: Tcb, piece: Sent, now: int, out: list[Segment]) -> None:
    """A stretch as one segment, or cut: a device that cuts clears CWR, which is a bit of AccECN's counter."""
    if tcb.ecn is not None and tcb.ecn.mode is Mode.ACCURATE:
        full, fin = judge.full_segment(tcb), 0 <= tcb.snd.fin < piece.end
        piece.push |= piece.end - fin - piece.seq > full
        while piece.end - fin - piece.seq > full:
            rest = tcb.flight.split(piece, piece.seq + full)
            out.append(_stretch(tcb, piece, now))
            piece = rest
    out.append(_stretch(tcb, piece, now))


def _stretch(tcb: Tcb, piece: Sent, now: int) -> Segment:
    """The segment that carries a stretch of sequence space: SYN, text and FIN as they lie there."""
    snd, seq, end = tcb.snd, piece.seq, piece.end
    flags, begin = ACK, seq
    fin = snd.fin >= 0 and end > snd.fin
    if seq == snd.iss:
        flags |= SYN
        begin += 1
    text = tcb.queue.octets(begin, end - fin)
    if fin:
        flags |= FIN
    if tcb.stamps is not None:
        tcb.stamps.left(seq, end, now)
    syn_text = tcb.fast_open is not None and judge.ends_syn_text(tcb, seq, end)
    if text and (piece.push or len(text) > tcb.smss or syn_text):
        flags |= PSH  # nobody is to wait for more of what a device cuts
    if flags & SYN:
        options = accept(tcb.terms, tcb.rcv_mss, timestamp(now, tcb.ts_offset), tcb.ts_recent)
        return _segment(tcb, seq, tcb.rcv.nxt, flags, min(tcb.rcv.wnd, MAX_WINDOW), text, options)
    return _acknowledging(tcb, seq, flags, text, now, fresh=piece.times == 1)


def bare_ack(tcb: Tcb, now: int) -> Segment:
    """Return <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>."""
    return _acknowledging(tcb, tcb.snd.nxt, ACK, b"", now)


def _fin_again(tcb: Tcb, now: int) -> Segment:
    """An ACK that carries our FIN, which is sent and not acknowledged."""
    return _acknowledging(tcb, tcb.snd.fin, ACK | FIN, b"", now)


def probe(tcb: Tcb, now: int) -> Segment:
    """A keep-alive or window probe: an octet long since acknowledged is named, and not sent (SHLD-12)."""
    return _acknowledging(tcb, tcb.snd.una - 1, ACK, b"", now)


def reset(tcb: Tcb, now: int) -> Segment:
    """The reset of an ABORT: <SEQ=SND.NXT><CTL=RST>, with an ACK as Linux sends it (§3.10.5)."""
    segment = _acknowledging(tcb, tcb.snd.nxt, RST | ACK, b"", now)
    if not tcb.stack.settings.tcp_reset_tells_window:
        segment.wnd = 0
    return segment


def reset_for(seg: Segment, settings: Settings) -> Segment:
    """A reset that the sender of ``seg`` will find acceptable (§3.10.7.1), with its timestamp (RFC 7323 §5.2)."""
    tsval = seg.options.tsval if settings.tcp_reset_timestamps else None
    options = NO_OPTIONS if tsval is None else Options(tsval=0, tsecr=tsval)
    if seg.flags & ACK:
        return Segment(seg.ack, 0, RST, options=options, sport=seg.dport, dport=seg.sport)
    return Segment(0, wrap(seg.seq + seg.len), RST | ACK, options=options, sport=seg.dport, dport=seg.sport)


def _acknowledging(
    tcb: Tcb, seq: int, flags: int, text: bytes | memoryview, now: int, *, fresh: bool = False
) -> Segment:
    mark, full, plain = NOT_ECT, tcb.smss, judge.has_little_to_say(tcb)
    options = _timestamps(tcb, now) if plain else _options(tcb, now, len(text))
    if tcb.ecn is not None:
        flags, mark = ecn.marks(tcb, tcb.ecn, flags, len(text), fresh=fresh)
    if not plain:
        full = judge.full_segment(tcb)
    segment = _segment(tcb, seq, tcb.rcv.nxt, flags, receive_window.offer(tcb), text, options, mark)
    if len(text) > full:
        segment.gso_size = full
    if options.user_timeout is not None:
        tcb.user_timeout_told = tcb.options.tcp_user_timeout
    tcb.last_ack_sent = tcb.rcv.nxt
    if options.sack:
        tcb.receive_queue.duplicate = None
    acking.acknowledged(tcb)
    return segment


def _segment(
    tcb: Tcb, seq: int, ack: int, flags: int, wnd: int, text: bytes | memoryview, options: Options, mark: int = NOT_ECT
) -> Segment:
    name, urgent = tcb.name, 0
    if tcb.snd.up > seq and not flags & (SYN | RST):
        flags |= URG
        urgent = min(tcb.snd.up - seq, 0xFFFF)
    sport, dport = (name.local_port, name.remote_port) if name is not None else (0, 0)
    return Segment(seq & MASK, ack & MASK, flags, wnd, text, options, urgent, sport, dport, 0, mark)


def _timestamps(tcb: Tcb, now: int) -> Options:
    """Timestamps on every segment once agreed, and nothing else."""
    terms = tcb.terms
    return tcb.stack.stamped(timestamp(now, tcb.ts_offset), tcb.ts_recent) if terms.timestamps else NO_OPTIONS


def _options(tcb: Tcb, now: int, text: int) -> Options:
    """Timestamps on every segment once agreed; SACK while anything is held beyond a hole; what the user asked for."""
    terms, count, told = tcb.terms, judge.sack_blocks(tcb), _user_timeout(tcb)
    blocks: tuple[tuple[int, int], ...] = ()
    if count and text:
        room = tcb.smss - min(text, judge.full_segment(tcb)) - SACK_HEADER
        count = min(count, max(0, room) // SACK_BLOCK)
    counters = None
    if tcb.ecn is not None:
        counters, count = accecn.option(tcb, tcb.ecn, count, text, now)
    if count:
        blocks = tuple((wrap(left), wrap(right)) for left, right in judge.sack_report(tcb)[:count])
    if terms.timestamps:
        clock = timestamp(now, tcb.ts_offset)
        return Options(tsval=clock, tsecr=tcb.ts_recent, sack=blocks, user_timeout=told, acc_ecn=counters)
    if blocks or told is not None or counters is not None:
        return Options(sack=blocks, user_timeout=told, acc_ecn=counters)
    return NO_OPTIONS


def _user_timeout(tcb: Tcb) -> int | None:
    """The User Timeout Option's seconds (RFC 5482 §3); None: none is owed."""
    if not tcb.stack.settings.tcp_user_timeout_option or not judge.owes_user_timeout(tcb):
        return None
    return -(-tcb.options.tcp_user_timeout // 1000)
