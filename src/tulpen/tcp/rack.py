"""RACK-TLP (RFC 8985): losses found by time, and a probe for the tail."""

from __future__ import annotations

from typing import Final

from tulpen.tcp import judge
from tulpen.tcp.config import MS, SECOND, US
from tulpen.tcp.flight import DUP_THRESH, Sent
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER

PERSIST: Final = 16  # recoveries for which a widened window is kept (§6.2 step 4)
LEAST_TIMEOUT: Final = 2 * MS
MOST_MULT: Final = 255


def in_use(tcb: Tcb) -> bool:
    """Whether losses are found by time: it takes SACK, and tcp_recovery."""
    return tcb.terms.sack and bool(tcb.stack.settings.tcp_recovery & 1)


def delivered(tcb: Tcb, piece: Sent, now: int) -> None:
    """Steps 2 and 3 (§6.2): keep the latest stretch delivered, and whether the path has reordered."""
    rack = tcb.rack
    rtt = now - piece.at
    if piece.times > 1 and rtt < tcb.rtt.least:
        return  # more likely the original's acknowledgment
    rack.advanced = True
    rack.rtt = rtt
    if _later(piece.at, piece.end, rack.sent_at, rack.end):
        rack.sent_at = piece.at
        rack.end = piece.end


def reordered(tcb: Tcb) -> None:
    """A stretch sent once arrived after a later one (§6.2 step 3)."""
    tcb.rack.reordering_seen = True
    tcb.stack.count("TCPSACKReorder")


def adapt_window(tcb: Tcb) -> None:
    """Step 4 (§6.2): widen the reordering window once a round trip in which DSACKs came."""
    rack = tcb.rack
    if rack.dsack_round >= 0 and tcb.snd.una < rack.dsack_round:
        rack.dsack_seen = False
    if rack.dsack_seen:
        rack.mult = min(MOST_MULT, rack.mult + 1)
        rack.dsack_seen = False
        rack.dsack_round = tcb.snd.nxt
        rack.persist = PERSIST
    elif rack.persist == 0:
        rack.mult = 1


def reordering_window(tcb: Tcb) -> int:
    """RACK.reo_wnd: how much later than others a stretch may come, in nanoseconds."""
    if not tcb.rack.reordering_seen and (tcb.episode.recover >= 0 or tcb.flight.sacked_octets >= DUP_THRESH * tcb.smss):
        return 0
    return min(tcb.rack.mult * tcb.rtt.least // 4, tcb.rtt.srtt)


def detect_loss(tcb: Tcb, now: int) -> bool:
    """Step 5 (§6.2): deem lost what was sent long enough before the latest delivered; say whether anything was."""
    rack = tcb.rack
    window = reordering_window(tcb)
    wait = 0
    found = False
    for piece in tcb.flight.sent:
        if not _later(rack.sent_at, rack.end, piece.at, piece.end):
            if tcb.flight.resent_octets == 0:
                break  # in the order sent: all that follow are later still
            continue
        if piece.sacked or (piece.lost and not piece.resent):
            continue
        if piece.resent and piece.at == rack.sent_at:
            continue  # at the same instant it may have gone out after the other
        remaining = piece.at + rack.rtt + window - now
        if remaining <= 0:
            tcb.flight.deem_lost(piece)
            found = True
        else:
            wait = max(wait, remaining)
    tcb.timers.reorder = now + min(wait + LEAST_TIMEOUT, tcb.rtt.timeout()) if wait else NEVER
    return found


def _later(at: int, end: int, other_at: int, other_end: int) -> bool:
    """RACK_sent_after (§6.2)."""
    return at > other_at or (at == other_at and end > other_end)


def schedule_probe(tcb: Tcb, now: int) -> bool:
    """Arm the Tail Loss Probe instead of the retransmission timer (§7.2); say whether it applies."""
    flight, settings = tcb.flight, tcb.stack.settings
    if (
        settings.tcp_early_retrans not in (3, 4)
        or not tcb.terms.sack
        or not flight.sent
        or flight.sacked_octets
        or tcb.rack.probe_end >= 0
        or tcb.episode.recover >= 0
        or judge.user_timeout(tcb)
    ):
        return False
    timeout = SECOND
    if tcb.rtt.srtt:
        single = flight.octets <= tcb.smss
        timeout = 2 * tcb.rtt.srtt + (settings.tcp_rto_min_us * US if single else LEAST_TIMEOUT)
    limit = flight.sent[0].at + tcb.rtt.timeout()
    tcb.timers.probe = min(now + timeout, limit) if limit > now else now + timeout
    tcb.timers.retransmit = NEVER
    return True


def probe_acknowledged(tcb: Tcb, ack: int, *, dsack: bool, duplicate: bool) -> bool:
    """§7.4.2: after the probe's acknowledgment, say whether it repaired a loss, which then counts as one."""
    rack = tcb.rack
    if rack.probe_end < 0 or ack < rack.probe_end:
        return False
    repaired = rack.probe_resent and not dsack and ack > rack.probe_end
    if repaired or not rack.probe_resent or dsack or duplicate:
        rack.probe_end = -1
    return repaired
