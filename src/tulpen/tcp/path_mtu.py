"""The size of segments that the path takes: as routers tell it (RFC 1191, RFC 8201), and when to probe for more."""

from __future__ import annotations

from typing import Final

from tulpen.tcp import clocks, judge, recovery, window
from tulpen.tcp.loss import OPEN
from tulpen.tcp.probing import adjust, options_room, search_again
from tulpen.tcp.route import Route
from tulpen.tcp.state import SYN_SENT
from tulpen.tcp.tcb import Tcb
from tulpen.wire.seq import unwrap

LEAST_CWND: Final = 11  # segments: the loss of a probe must not stop the flow of acknowledgments


def begins(tcb: Tcb, mss: int, route: Route, now: int) -> None:
    """Learn the path before any text goes out: octets of the segments that it takes, and what its route says."""
    tcb.route = route
    if route.rto_min:
        tcb.rtt.bounds = tcb.rtt.bounds._replace(least=route.rto_min)
    path_takes(tcb, mss, now)
    tcb.cc = tcb.congestion_control()


def path_takes(tcb: Tcb, mss: int, now: int, *, resend: bool = True) -> None:
    """Keep to segments of ``mss`` octets; with ``resend`` what was too large goes again at once (RFC 1191 §6.5)."""
    if tcb.options.tcp_maxseg is not None:
        mss = min(mss, tcb.options.tcp_maxseg)
    mss = max(mss, tcb.stack.settings.tcp_min_snd_mss)
    if mss == tcb.mtu_mss:
        return
    if mss < tcb.mtu_mss and tcb.state is SYN_SENT and tcb.fast_open is not None and tcb.fast_open.text:
        tcb.rcv_mss = min(tcb.rcv_mss, mss)
        tcb.syn_due = True  # it was the text that made it too large (RFC 7413 §4.2.1)
    if tcb.path is not None:
        tcb.path.proved = min(tcb.path.proved, mss)
    before, tcb.mtu_mss = tcb.smss, mss
    adjust(tcb)
    if tcb.smss < before and resend:
        _resend_too_large(tcb, now)


def doubts(tcb: Tcb, seq: int, mss: int) -> bool:
    """Say whether a router has to wait that says no more than ``mss`` fits: more has been acknowledged (RFC 5927 §7.2).

    ``seq``: of the segment it calls too big.  It is right if that is not acknowledged in time.
    """
    path = tcb.path
    if path is None or not tcb.stack.settings.tcp_pmtu_patience or mss >= path.proved:
        return False
    path.doubted = mss
    path.doubted_seq = unwrap(seq, tcb.snd.una)
    return True


def timed_out(tcb: Tcb, now: int) -> None:
    """What is not acknowledged may be what a router called too big: believe it in the end."""
    path = tcb.path
    if path is not None and path.doubted and tcb.retransmits >= tcb.stack.settings.tcp_pmtu_patience:
        path.believed, path.doubted = path.doubted, 0
        path_takes(tcb, path.believed, now, resend=False)


def _resend_too_large(tcb: Tcb, now: int) -> None:
    for piece in tcb.flight.sent:
        if piece.end - piece.seq > tcb.smss:
            tcb.flight.deem_lost(piece)
    recovery.resend_lost(tcb)
    if tcb.flight.sent:
        clocks.start_again(tcb, now, now)


def wants_probe(tcb: Tcb, now: int) -> int:
    """Return the octets of a probe that is to go out now (RFC 4821 §7.4); 0: none; -1: soon, and nothing until then."""
    path, snd = tcb.path, tcb.snd
    if path is None or path.probe or _disturbed(tcb) or tcb.cc.cwnd < LEAST_CWND * tcb.smss:
        return 0
    if path.high - path.low < max(1, tcb.stack.settings.tcp_probe_threshold):
        search_again(tcb, now)
        return 0
    size = (path.low + path.high) // 2 - options_room(tcb)
    needed = size + (tcb.loss.reordering + 1) * tcb.smss  # segments behind it, whose acknowledgments tell of its loss
    if tcb.queue.end - snd.nxt < needed or snd.wnd < needed or tcb.queue.ends_record(snd.nxt + size):
        return 0
    if judge.usable_window(tcb) < needed:
        return -1
    if window.pipe(tcb) + 2 * tcb.smss > tcb.cc.cwnd:
        return -1 if tcb.flight.sent else 0
    return size


def _disturbed(tcb: Tcb) -> bool:
    """Whether something was lost, or is out of order: then a probe tells nothing."""
    return tcb.loss.phase is not OPEN or tcb.loss.dupacks > 0 or judge.sack_blocks(tcb) > 0


def probe_sent(tcb: Tcb, start: int, end: int) -> None:
    """Note the probe that goes out; it counts twice against the congestion window."""
    path = tcb.path
    if path is not None:
        path.probe = end - start + options_room(tcb)
        path.probe_start, path.probe_end = start, end
    tcb.cc.cwnd -= tcb.smss
