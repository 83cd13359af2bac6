"""When two connections behave alike: the part of a TCB that decides what it does next.

What is left out is counted for statistics, or is a time.  A time becomes the order in
which the timers would run out; how long they run is the network's to choose here.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from tulpen.tcp.connection import Connection
from tulpen.tcp.ecn_state import Ecn
from tulpen.tcp.judge import window_was_the_limit
from tulpen.tcp.loss import RECOVERY
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER, Timers

TIMERS: Final = ("linger", "retransmit", "probe", "reorder", "pace", "persist", "keepalive", "delayed_ack")
CWND_ALIKE: Final = 8  # segments; a congestion window of more never holds these few octets back

#: Attributes of a TCB that ``key`` holds, by way of a part of them where they are large.
HELD: Final = frozenset({
    "state", "error", "snd", "rcv", "terms", "smss", "passive", "signals", "syn_due", "ack_now", "acks",
    "replies", "last_ack_sent", "queue", "receive_queue", "closing", "orphan", "wants_room", "override", "flight",
    "timers", "cc", "loss", "retransmits", "probes", "troubled",
    "soft_error", "rcv_mss", "mtu_mss", "usage", "rack", "ecn", "path",
})  # fmt: skip
#: Those it leaves out: the same for both, times, and statistics.
LEFT_OUT: Final = frozenset({
    "stack", "name", "options", "trace", "ipv6", "gso_max", "ts_offset", "user_timeout", "user_timeout_told",
    "fast_open", "outgo", "probing_since", "stamps",
    "rtt", "sent_at", "intake", "invalid_ack_at", "ts_recent_at", "delivered",
    "delivered_segments",
})  # fmt: skip


def key(connection: Connection) -> Hashable:
    """Return a value that is equal for connections that behave alike."""
    tcb = connection.tcb
    snd, rcv, terms, received, loss = tcb.snd, tcb.rcv, tcb.terms, tcb.receive_queue, tcb.loss
    return (
        tcb.state, tcb.error, tcb.soft_error, tcb.passive, tcb.closing, tcb.orphan, tuple(tcb.signals),
        snd.una, snd.nxt, snd.wnd, snd.wl1, snd.wl2, snd.up, snd.due, snd.freed, snd.max_wnd, snd.fin,
        snd.small > snd.una,
        rcv.irs, rcv.nxt, rcv.wnd, rcv.up, rcv.fin, tcb.last_ack_sent,
        terms.mss, terms.sack, terms.scaling, terms.timestamps, tcb.smss, tcb.mtu_mss, tcb.rcv_mss,
        tcb.rack.probe_due, tcb.rack.probe_end, tcb.rack.probe_resent,
        tcb.path.proved, tcb.path.doubted,
        tcb.path.searching, tcb.path.low, tcb.path.high, tcb.path.probe, tcb.path.probe_start, tcb.path.probe_end,
        tcb.acks.quick, tcb.acks.answering, tcb.acks.pending, None if tcb.ecn is None else _ecn(tcb.ecn),
        tcb.syn_due, tcb.ack_now, tuple(tcb.replies), tcb.override, loss.force_resend, tcb.wants_room,
        tcb.queue.start, tcb.queue.end, tuple((s.end, s.push, s.record) for s in tcb.queue.stretches),
        received.octets, tuple(received.ranges), received.duplicate,
        tuple((s.seq, s.end, s.push, s.times > 1, s.sacked, s.lost, s.resent) for s in tcb.flight.sent),
        order(tcb.timers), min(tcb.cc.cwnd // tcb.smss, CWND_ALIKE), loss.phase, loss.point, loss.resend,
        loss.rescued, loss.dupacks, loss.reordering, loss.frto, tcb.retransmits, tcb.probes, tcb.troubled,
        (loss.prior_cwnd, loss.prr_delivered, loss.prr_out) if loss.phase is RECOVERY else (),
        (loss.prior_ssthresh, loss.undo_resent, loss.resent_at >= 0) if loss.undo_from >= 0 else (),
        tcb.cc.cwnd < CWND_ALIKE * tcb.smss and (window_was_the_limit(tcb), snd.una >= tcb.usage.point),
    )  # fmt: skip


def _ecn(ecn: Ecn) -> Hashable:
    return (
        ecn.mode, ecn.seen, ecn.echo, ecn.cwr_due, ecn.reflect, ecn.hasten, ecn.syn_mark,
        ecn.last_mark, ecn.received_ce, ecn.delivered_ce, ecn.told_ce, tuple(ecn.received), tuple(ecn.delivered),
        ecn.estimate, ecn.fields, ecn.option_due, ecn.option_seen, ecn.told_duplicate, ecn.first_feedback, ecn.failures,
    )  # fmt: skip


def order(timers: Timers) -> tuple[str, ...]:
    """Return the names of the running timers, the next to run out first."""
    running = [(when, name) for name in TIMERS if (when := getattr(timers, name)) != NEVER]
    return tuple(name for _, name in sorted(running))


def unknown_attributes() -> frozenset[str]:
    """Return the attributes of a TCB that this module does not know; there should be none."""
    return frozenset(Tcb.__slots__) ^ HELD ^ LEFT_OUT
