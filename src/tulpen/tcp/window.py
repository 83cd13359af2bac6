"""How much may be in the network: pipe, Proportional Rate Reduction (RFC 9937), validation (RFC 7661), idle restart.

The congestion control says how far ``ssthresh`` comes down and how ``cwnd`` grows; here is
how ``cwnd`` gets from the one to the other.  A duplicate acknowledgment without SACK says
that one segment has left the network: it is taken out of ``pipe`` instead of being added
to ``cwnd``.  The difference is the same, and Limited Transmit (RFC 3042) is the room it makes.
"""

from __future__ import annotations

from tulpen.tcp import ecn, judge
from tulpen.tcp.congestion import INFINITE
from tulpen.tcp.loss import CWR, LOSS, OPEN, RECOVERY
from tulpen.tcp.news import News
from tulpen.tcp.tcb import Tcb


def pipe(tcb: Tcb) -> int:
    """Octets thought to be in the network (RFC 6675 §4)."""
    flight = tcb.flight
    if tcb.snd.una == tcb.snd.iss and flight.sent:
        syn = flight.sent[0]  # it takes room in no window (RFC 9293 §3.4)
        return max(0, flight.pipe - (not syn.lost or syn.resent))
    if tcb.terms.sack:
        return flight.pipe
    return max(0, flight.pipe - tcb.loss.dupacks * tcb.smss)


def note_app_limited(tcb: Tcb) -> None:
    """The application writes: note it where it had given less than a segment, and the window would have taken more."""
    flight = tcb.flight
    if tcb.queue.end - tcb.snd.nxt < tcb.smss and flight.lost_octets <= flight.resent_octets:
        in_flight = pipe(tcb)
        if in_flight < tcb.cc.cwnd:
            flight.rate.app_limited(max(len(flight.sent), -(-in_flight // tcb.smss)))


def adapt(tcb: Tcb, news: News, now: int) -> None:
    """The acknowledgment's effect on the congestion window: it comes down, grows, or stays."""
    phase = tcb.loss.phase
    if phase is CWR or phase is RECOVERY:
        reduce(tcb, news.delivered, tcb.flight.lost_total - news.lost_before, advanced=news.advanced > 0)
    elif _may_grow(tcb, news):
        tcb.cc.acknowledged(news.delivered, now, tcb.rtt.srtt)


def _may_grow(tcb: Tcb, news: News) -> bool:
    """Whether it was what held text back; what arrives out of order counts on a path known to reorder."""
    if news.delivered <= 0 or not judge.window_was_the_limit(tcb):
        return False
    return news.advanced > 0 or (news.sacked and tcb.loss.reordering > tcb.stack.settings.tcp_reordering)


def begin_reduction(tcb: Tcb) -> None:
    """Bring ssthresh down at once (RFC 5681 §3.1), and the window by and by (RFC 9937 §6.1)."""
    loss, cc = tcb.loss, tcb.cc
    loss.point = tcb.snd.nxt
    tcb.rack.probe_end = -1
    loss.prior_cwnd = cc.cwnd
    loss.prr_delivered = loss.prr_out = 0
    cc.ssthresh = cc.after_loss(flight_size(tcb))
    ecn.reduced(tcb)


def flight_size(tcb: Tcb) -> int:
    """FlightSize, without what Limited Transmit added to it (RFC 5681 §3.2)."""
    return min(tcb.flight.octets, tcb.cc.cwnd)


def reduce(tcb: Tcb, delivered: int, newly_lost: int, *, advanced: bool) -> None:
    """Say how much goes out for what was delivered (RFC 9937 §6.2); whole segments, and one at least to begin with."""
    loss, cc, mss = tcb.loss, tcb.cc, tcb.smss
    if delivered <= 0:
        return
    in_flight = pipe(tcb)
    loss.prr_delivered += delivered
    room = cc.ssthresh - in_flight
    if room < 0:
        share = -(-loss.prr_delivered * cc.ssthresh // loss.prior_cwnd)  # of ssthresh, as much as of the old window
        count = -(-share // mss) * mss - loss.prr_out
    else:
        count = max(loss.prr_delivered - loss.prr_out, delivered)
        if advanced and not newly_lost:
            count += mss  # the slow start bound; without good news it is packet conservation
        count = min(room, count)
    cc.cwnd = max(in_flight + max(count, 0 if loss.prr_out else mss), mss)


def went_out(tcb: Tcb, octets: int) -> None:
    """Text was sent, for the first time or again: prr_out (RFC 9937 §6.2)."""
    if tcb.loss.phase is CWR or tcb.loss.phase is RECOVERY:
        tcb.loss.prr_out += octets


def end_reduction(tcb: Tcb) -> None:
    """The window is ssthresh from here on, unless the reduction was taken back (RFC 9937 §6.3)."""
    loss, cc = tcb.loss, tcb.cc
    if cc.ssthresh < INFINITE and (loss.phase is CWR or loss.undo_from >= 0):
        cc.cwnd = cc.ssthresh


def enter_cwr(tcb: Tcb) -> None:
    """Congestion without a loss: the window comes down, once a window of data (RFC 3168 §6.1.2)."""
    loss = tcb.loss
    loss.prior_ssthresh = 0
    if loss.phase < CWR:
        loss.undo_from = -1
        begin_reduction(tcb)
        loss.phase = CWR


def known_ssthresh(tcb: Tcb) -> int:
    """What the path is known to bear: three quarters of the window, where ssthresh is not more."""
    cc = tcb.cc
    if tcb.loss.phase is CWR or tcb.loss.phase is RECOVERY or cc.ssthresh >= INFINITE:
        return cc.ssthresh
    return max(cc.ssthresh, cc.cwnd // cc.mss * 3 // 4 * cc.mss)


def note_usage(tcb: Tcb, now: int) -> None:
    """Keep whether the congestion window was used up (RFC 7661 §4.3); one that is not comes down in time."""
    usage, cc = tcb.usage, tcb.cc
    out = tcb.flight.octets
    limited = pipe(tcb) + tcb.smss > cc.cwnd
    if tcb.snd.una >= usage.point or limited or (not usage.limited and out > usage.most):
        usage.limited = limited
        usage.most = out
        usage.point = tcb.snd.nxt
    if judge.window_was_the_limit(tcb):
        usage.used = 0
        usage.full_at = now
        return
    usage.used = max(usage.used, out)
    if tcb.stack.settings.tcp_slow_start_after_idle and now - usage.full_at >= tcb.rtt.rto:
        _application_limited(tcb, now)


def _application_limited(tcb: Tcb, now: int) -> None:
    """An RTO long the window was more than what the application sent: half of the difference goes (RFC 2861 §3)."""
    usage, cc = tcb.usage, tcb.cc
    if tcb.loss.phase is OPEN and not tcb.wants_room:
        used = max(usage.used, tcb.initial_window())
        if used < cc.cwnd:
            cc.ssthresh = known_ssthresh(tcb)
            cc.cwnd = (cc.cwnd + used) // 2 // cc.mss * cc.mss
        usage.used = 0
    usage.full_at = now


def after_idle(tcb: Tcb, now: int) -> None:
    """Restart from the initial window, halved for each RTO of silence (RFC 5681 §4.1; RFC 2861 §3)."""
    quiet, cc = now - tcb.sent_at, tcb.cc
    cc.idle(quiet)
    if not tcb.stack.settings.tcp_slow_start_after_idle or quiet <= tcb.rtt.rto:
        return
    cc.ssthresh = known_ssthresh(tcb)
    restart = min(tcb.initial_window(), cc.cwnd)
    while quiet > tcb.rtt.rto and cc.cwnd > restart:
        cc.cwnd >>= 1
        quiet -= tcb.rtt.rto
    cc.cwnd = max(cc.cwnd, restart)
    tcb.usage.used = 0
    tcb.usage.full_at = now


def restart_from_one(tcb: Tcb) -> None:
    """After a timeout: one segment beside what may still be in the network (RFC 5681 §3.1)."""
    tcb.cc.timed_out()
    tcb.cc.cwnd = pipe(tcb) + tcb.smss
    tcb.loss.phase = LOSS
