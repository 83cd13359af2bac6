"""What the two SYNs bring: both initial sequence numbers, the terms, and ESTABLISHED (RFC 9293 §3.5)."""

from __future__ import annotations

import errno

from tulpen.tcp import buffer, fast_open, probing, progress, receive_window
from tulpen.tcp.config import MS
from tulpen.tcp.ending import end, flush
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.negotiate import (
    LEAST_USER_TIMEOUT,
    MOST_USER_TIMEOUT,
    agree,
    effective_mss,
    first_timestamp,
    whole_segments,
)
from tulpen.tcp.rtt import FALLBACK_RTO
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import Event
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timeouts import start_keepalive


def synchronize(tcb: Tcb, seg: Incoming, now: int) -> None:
    """Learn IRS and the options of their SYN."""
    tcb.rcv.irs = seg.seq
    tcb.rcv.nxt = tcb.last_ack_sent = seg.seq + 1
    tcb.rcv.up = tcb.rcv.nxt
    tcb.terms = agree(seg.options, tcb.options, tcb.stack.settings, ipv6=tcb.ipv6, signed=tcb.terms.signed)
    tcb.ts_recent = first_timestamp(tcb.terms, seg.options)
    tcb.rcv.buff = whole_segments(tcb.rcv.buff, min(tcb.terms.mss, tcb.mtu_mss), tcb.stack.settings)
    tcb.ts_recent_at = tcb.intake.heard_at = now
    tcb.smss = effective_mss(tcb.terms, tcb.mtu_mss)
    tcb.cc = tcb.congestion_control()
    tcb.snd.wnd = tcb.snd.max_wnd = seg.wnd
    tcb.snd.wl1 = seg.seq
    tcb.snd.wl2 = seg.ack
    if seg.options.user_timeout:
        take_user_timeout(tcb, seg)


def take_user_timeout(tcb: Tcb, seg: Incoming) -> None:
    """Adopt what a User Timeout Option asks for, in any segment, within limits (RFC 5482 §3.1)."""
    asked = seg.options.user_timeout
    if asked is not None and tcb.stack.settings.tcp_user_timeout_option:
        least = max(LEAST_USER_TIMEOUT, tcb.rtt.timeout() // MS + 1)
        tcb.user_timeout = min(MOST_USER_TIMEOUT, max(asked * 1000, least))


def established(tcb: Tcb, seg: Incoming, now: int) -> None:
    """Our SYN is acknowledged and theirs is known."""
    resent = tcb.retransmits
    was_resent = tcb.flight.sent[0].times - 1
    progress.acknowledge(tcb, seg, now)
    fast_open.answered(tcb, seg, was_resent)
    tcb.happened(Event.SYN_ACKED, now)
    probing.established(tcb, now)
    receive_window.open_up(tcb, now)
    tcb.intake.since = tcb.intake.ack_at = now
    tcb.syn_due = False
    if tcb.rtt.srtt == 0:
        tcb.rtt.rto = FALLBACK_RTO  # the SYN was lost and nothing measured since (RFC 6298 §5.7)
        tcb.rtt.backoff = 0
    if resent > 1:
        tcb.cc.cwnd = tcb.smss  # RFC 5681 §3.1, as Linux for more than one
    buffer.expand(tcb)
    start_keepalive(tcb, now)
    tcb.signal(Signal.CONNECTED)
    tcb.signal(Signal.WRITABLE)
    if tcb.closing:
        tcb.happened(Event.CLOSE, now)  # it was queued (§3.10.4)


def back_to_listen(tcb: Tcb, now: int) -> None:
    """The passive open came to nothing; the user need not be informed, unless a CLOSE waited for it (§3.10.4)."""
    tcb.stack.count("AttemptFails")
    tcb.happened(Event.REFUSED, now)
    queued = tcb.queue.clone()  # SENDs wait for whoever connects next (§3.10.2)
    flush(tcb)
    if tcb.closing:
        end(tcb, Event.CLOSE, now, error=errno.ECONNRESET)
        return
    tcb.queue = queued
    tcb.snd.una = tcb.snd.nxt = tcb.snd.small = tcb.snd.iss
    tcb.retransmits = tcb.rtt.backoff = tcb.rcv.wnd = 0
    tcb.ack_now = tcb.troubled = False
