"""Timeouts: RFC 9293 §3.10.8, and the timers of §3.8.3, §3.8.4 and §3.8.6."""

from __future__ import annotations

import errno
from typing import Final

from tulpen.tcp import acking, clocks, fast_open, judge, path_mtu, probing, recovery
from tulpen.tcp.config import MS, SECOND
from tulpen.tcp.ending import end
from tulpen.tcp.output import probe, reset
from tulpen.tcp.rtt import INITIAL_RTO
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, FIN_WAIT_2, SYN_RECEIVED, SYN_SENT, SYNCHRONIZED, TIME_WAIT, Event
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER
from tulpen.tcp.trace import Reason

UNLIMITED: Final = 1 << 30


def timeout(tcb: Tcb, now: int) -> None:
    """Do what is due at ``now``; a call too early does nothing."""
    timers = tcb.timers
    if timers.linger <= now:
        timers.linger = NEVER
        _lingered(tcb, now)
    if timers.retransmit <= now:
        _retransmission(tcb, now)
    if timers.probe <= now:
        tcb.timed_out("probe", now)
        recovery.probe_timeout(tcb, now)
    if timers.reorder <= now:
        tcb.timed_out("reorder", now)
        recovery.reordering_timeout(tcb, now)
    if timers.pace <= now:
        timers.pace = NEVER
    if timers.persist <= now:
        _persist(tcb, now)
    if timers.keepalive <= now:
        _keepalive(tcb, now)
    if timers.delayed_ack <= now:
        timers.delayed_ack = NEVER
        tcb.timed_out("delayed-ack", now)
        tcb.stack.count("DelayedACKs")
        acking.waited(tcb)


def _lingered(tcb: Tcb, now: int) -> None:
    """2 MSL in TIME-WAIT, or an orphan's time in FIN-WAIT-2."""
    if tcb.state is TIME_WAIT:
        tcb.timed_out("time-wait", now)
        end(tcb, Event.LINGERED, now)
    elif tcb.state is FIN_WAIT_2:
        tcb.timed_out("fin-wait-2", now)
        end(tcb, Event.GAVE_UP, now, reason=Reason.FIN_TIMEOUT)


def _retransmission(tcb: Tcb, now: int) -> None:
    """RFC 6298 §5.4 to §5.6, with R1 and R2 of §3.8.3."""
    timers = tcb.timers
    timers.retransmit = NEVER
    if not tcb.flight.sent:
        return
    tcb.timed_out("retransmit", now)
    if _user_timeout_passed(tcb, judge.unanswered_since(tcb), now):
        _give_up(tcb, Reason.USER_TIMEOUT, now)
        return
    giving_up = _tried_enough(tcb, now)
    fast_open.timed_out(tcb, now, giving_up=giving_up)
    if giving_up:
        _give_up(tcb, Reason.GAVE_UP, now)
        return
    tcb.stack.count("TCPTimeouts")
    if tcb.flight.sent[0].seq == tcb.snd.iss and (not SYNCHRONIZED[tcb.state] or fast_open.began_passively(tcb)):
        tcb.syn_due = True
    else:
        recovery.retransmission_timeout(tcb, now)
    tcb.retransmits += 1
    path_mtu.timed_out(tcb, now)
    if tcb.state is not SYN_SENT or tcb.retransmits > tcb.stack.settings.tcp_syn_linear_timeouts:
        tcb.rtt.backoff += 1
    if tcb.retransmits > tcb.stack.settings.tcp_retries1:
        probing.black_hole(tcb, now)
        if not tcb.troubled and tcb.options.ip_recverr:
            tcb.signal(Signal.TROUBLE)  # SHLD-9
        tcb.troubled = True
    clocks.start_again(tcb, now, now)


def _tried_enough(tcb: Tcb, now: int) -> bool:
    """R2 is reached; SYNs that do not back off count by the time that as many with backoff would have taken."""
    most, linear = _r2(tcb), tcb.stack.settings.tcp_syn_linear_timeouts
    if tcb.state is not SYN_SENT or not linear:
        return tcb.retransmits >= most
    patience = ((2 << most) - 1) * INITIAL_RTO
    return tcb.retransmits >= most + linear or now - tcb.flight.sent[0].first_at >= patience


def _persist(tcb: Tcb, now: int) -> None:
    """A zero window is probed (§3.8.6.1); less than a segment goes out at last (§3.8.6.2.1)."""
    tcb.timers.persist = NEVER
    if not judge.unsent(tcb) or tcb.flight.sent:
        return
    tcb.timed_out("persist", now)
    if tcb.probing_since < 0:
        tcb.probing_since = now
    if _user_timeout_passed(tcb, judge.shut_since(tcb), now):
        _give_up(tcb, Reason.USER_TIMEOUT, now)
        return
    if tcb.probes > _r2(tcb) or (tcb.orphan and tcb.rtt.backoff > _r2(tcb)):
        _give_up(tcb, Reason.GAVE_UP, now)
        return
    if tcb.stack.choked:
        tcb.probes += 1
        tcb.timers.persist = clocks.device_deadline(tcb, now)
    elif judge.usable_window(tcb) > 0:
        tcb.override = True
    else:
        tcb.stack.count("TCPWinProbe")
        tcb.reply(probe(tcb, now))
        tcb.probes += 1
        tcb.rtt.backoff += 1
        tcb.timers.persist = clocks.probe_deadline(tcb, now)


def _keepalive(tcb: Tcb, now: int) -> None:
    """§3.8.4: only when nothing is outstanding and nothing was heard (MUST-26)."""
    idle_limit, interval, most = _keepalive_settings(tcb)
    if tcb.flight.sent or judge.unsent(tcb):
        tcb.timers.keepalive = now + idle_limit
        return
    idle = now - tcb.intake.heard_at
    if idle < idle_limit:
        tcb.timers.keepalive = tcb.intake.heard_at + idle_limit
        return
    tcb.timed_out("keepalive", now)
    limit = judge.user_timeout(tcb)
    if (idle >= limit * MS and tcb.probes > 0) if limit else tcb.probes >= most:
        tcb.reply(reset(tcb, now))
        _give_up(tcb, Reason.KEEPALIVE_DEAD, now)
        return
    tcb.stack.count("TCPKeepAlive")
    tcb.reply(probe(tcb, now))
    tcb.probes += 1
    tcb.timers.keepalive = now + interval


def start_keepalive(tcb: Tcb, now: int) -> None:
    """Arm the keep-alive timer, where the socket or the host asks for it (MUST-24, MUST-25)."""
    wanted = tcb.options.so_keepalive
    if wanted is None:
        wanted = tcb.stack.settings.so_keepalive
    if not wanted:
        tcb.timers.keepalive = NEVER
    elif tcb.timers.keepalive == NEVER:
        tcb.timers.keepalive = now + _keepalive_settings(tcb)[0]


def keepidle_changed(tcb: Tcb, now: int) -> None:
    """Another idle time goes for what has already passed of it, too."""
    if tcb.timers.keepalive != NEVER:
        tcb.timers.keepalive = max(now, tcb.intake.heard_at + _keepalive_settings(tcb)[0])


def wait_for_their_fin(tcb: Tcb, now: int) -> None:
    """An orphan in FIN-WAIT-2 does not wait for ever (tcp_fin_timeout, TCP_LINGER2)."""
    seconds = tcb.options.tcp_linger2
    if seconds is None:
        seconds = tcb.stack.settings.tcp_fin_timeout
    if seconds < 0:
        tcb.reply(reset(tcb, now))
        end(tcb, Event.GAVE_UP, now, reason=Reason.LINGER_2)
    else:
        tcb.timers.linger = now + seconds * SECOND


def _keepalive_settings(tcb: Tcb) -> tuple[int, int, int]:
    """Return idle time and interval in nanoseconds, and the number of probes."""
    options, settings = tcb.options, tcb.stack.settings
    idle = options.tcp_keepidle if options.tcp_keepidle is not None else settings.tcp_keepalive_time
    interval = options.tcp_keepintvl if options.tcp_keepintvl is not None else settings.tcp_keepalive_intvl
    most = options.tcp_keepcnt if options.tcp_keepcnt is not None else settings.tcp_keepalive_probes
    return idle * SECOND, interval * SECOND, most


def _r2(tcb: Tcb) -> int:
    """R2 in retransmissions (§3.8.3, MUST-20 to MUST-23); a user timeout is R2 as a time, instead."""
    settings = tcb.stack.settings
    if tcb.state is SYN_RECEIVED and tcb.passive:
        return settings.tcp_synack_retries + judge.talks_early(tcb)  # an application may have it already
    if tcb.state is SYN_SENT or tcb.state is SYN_RECEIVED:
        return tcb.options.tcp_syncnt if tcb.options.tcp_syncnt is not None else settings.tcp_syn_retries
    if judge.user_timeout(tcb):
        return UNLIMITED
    return min(settings.tcp_orphan_retries, settings.tcp_retries2) if tcb.orphan else settings.tcp_retries2


def _user_timeout_passed(tcb: Tcb, since: int, now: int) -> bool:
    limit = judge.user_timeout(tcb)
    return limit > 0 <= since <= now - limit * MS


def _give_up(tcb: Tcb, reason: Reason, now: int) -> None:
    """Abort for want of an answer; an ICMP error seen meanwhile says why (§3.9.2.2)."""
    error = tcb.soft_error or errno.ETIMEDOUT
    if tcb.state in (SYN_SENT, SYN_RECEIVED):
        tcb.stack.count("AttemptFails")
    if tcb.state is not CLOSED:
        end(tcb, Event.GAVE_UP, now, error=error, reason=reason)
