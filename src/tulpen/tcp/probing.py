"""Path MTU discovery by probing (RFC 4821): what comes of a probe, and of a path that swallows large segments.

A probe is a segment of text that is larger than those sent otherwise.  If it arrives they
become as large; if it alone is lost, that is no sign of congestion.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tulpen.tcp.config import SECOND
from tulpen.tcp.negotiate import TIMESTAMPS_ROOM, effective_mss
from tulpen.tcp.path_state import Path
from tulpen.tcp.tcb import Tcb

ALWAYS: Final = 2  # of tcp_mtu_probing; 1: once a black hole is met


def adjust(tcb: Tcb) -> None:
    """Make SMSS what the path, the peer and the search allow."""
    path, cc = tcb.path, tcb.cc
    most = tcb.mtu_mss
    if path is not None:
        path.high = min(path.high, most)
        if path.searching:
            most = min(most, path.low)
    tcb.smss = cc.mss = effective_mss(tcb.terms, most)
    cc.cwnd = max(cc.cwnd, cc.mss)
    cc.ssthresh = max(cc.ssthresh, 2 * cc.mss)


def established(tcb: Tcb, now: int) -> None:
    """Fix the range to be searched, now that the peer's MSS is known (RFC 4821 §7.2).

    Who has opened begins at its lower end; who has accepted, as in Linux, with what the path is said to take.
    """
    settings = tcb.stack.settings
    if not settings.tcp_mtu_probing:
        return
    path = _path(tcb)
    path.searching = settings.tcp_mtu_probing >= ALWAYS
    path.low = settings.tcp_base_mss + options_room(tcb)
    path.high = tcb.terms.mss
    path.began = now
    if path.searching and not tcb.passive:
        adjust(tcb)
        tcb.cc = tcb.congestion_control()


def _path(tcb: Tcb) -> Path:
    if tcb.path is None:
        tcb.path = Path()
    return tcb.path


def options_room(tcb: Tcb) -> int:
    """Octets of the options that every segment carries."""
    return (TIMESTAMPS_ROOM if tcb.terms.timestamps else 0) + tcb.terms.signed


def acknowledged(tcb: Tcb) -> None:
    """Raise SMSS to the size of the probe if it has arrived (RFC 4821 §7.6.1)."""
    path = tcb.path
    if path is not None and path.probe and tcb.snd.una >= path.probe_end:
        path.low, path.probe = path.probe, 0
        adjust(tcb)
        tcb.cc.cwnd -= tcb.cc.cwnd % tcb.smss
        tcb.stack.count("TCPMTUPSuccess")


def failed(tcb: Tcb) -> bool:
    """Say whether the probe is what was lost: that is no congestion, and goes again in pieces (RFC 4821 §7.6.2)."""
    path = tcb.path
    if path is None or not path.probe or tcb.snd.una != path.probe_start:
        return False
    path.high, path.probe = path.probe - 1, 0
    tcb.cc.cwnd += tcb.smss
    for piece in tcb.flight.sent:
        if piece.seq < path.probe_end:
            tcb.flight.deem_lost(piece)
    tcb.stack.count("TCPMTUPFail")
    return True


def got_through(tcb: Tcb, sizes: Iterable[int]) -> None:
    """Note which sizes of text were acknowledged: a router that calls as much too big is doubted (RFC 5927 §7.2)."""
    path = _path(tcb)
    path.proved = max(path.proved, max(sizes, default=0) + options_room(tcb))
    if tcb.snd.una > path.doubted_seq:
        path.doubted = 0


def black_hole(tcb: Tcb, now: int) -> None:
    """R1 is reached: fall back to the lower end of the range, then lower that at each timeout (RFC 4821 §7.7)."""
    settings, path = tcb.stack.settings, tcb.path
    if not settings.tcp_mtu_probing or path is None or not path.low:
        return
    if not path.searching:
        path.searching = True
        path.began = now
    else:
        half = min(settings.tcp_base_mss, (path.low - options_room(tcb)) // 2)
        path.low = max(half, settings.tcp_mtu_probe_floor, settings.tcp_min_snd_mss) + options_room(tcb)
    adjust(tcb)


def search_again(tcb: Tcb, now: int) -> None:
    """The search has ended: begin another after a while, for the path may take more by then (RFC 4821 §7.3)."""
    path = tcb.path
    if path is not None and now - path.began >= tcb.stack.settings.tcp_probe_interval * SECOND:
        path.high = min(tcb.terms.mss, tcb.mtu_mss)
        path.low = tcb.smss + options_room(tcb)
        path.began = now
