"""RACK-TLP (RFC 8985): losses found by time, and a probe for the tail."""

from __future__ import annotations

from typing import Final

from tulpen.tcp.config import MS, SECOND, US
from tulpen.tcp.flight import Sent
from tulpen.tcp.loss import CWR, OPEN, RECOVERY
from tulpen.tcp.negotiate import timestamp
from tulpen.tcp.tcb import Tcb
from tulpen.wire.seq import before

BY_TIME: Final = 1  # bits of tcp_recovery
ONE_WINDOW: Final = 2
NO_DUP_THRESH: Final = 4
PERSIST: Final = 16  # recoveries for which a widened window is kept (§6.2 step 4)
LEAST_TIMEOUT: Final = 2 * MS
MOST_MULT: Final = 255


def in_use(tcb: Tcb) -> bool:
    """Whether losses are found by time: it takes SACK, and tcp_recovery."""
    return tcb.terms.sack and bool(tcb.stack.settings.tcp_recovery & BY_TIME)


def delivered(tcb: Tcb, piece: Sent, echo: int, now: int) -> None:
    """Step 2 (§6.2): keep the latest stretch delivered, and its round trip; ``echo``: TSecr, 0 for none."""
    rack = tcb.rack
    rtt = now - piece.at
    if piece.times > 1:
        if rtt < tcb.rtt.least:
            return  # more likely the original's acknowledgment
        if echo and before(echo, timestamp(piece.at, tcb.ts_offset)):
            return  # the original's, by its timestamp
    rack.advanced = True
    rack.rtt = rtt
    if piece.turn > rack.turn or _later(piece.turn, piece.end, rack.turn, rack.end):
        rack.turn = piece.turn
        rack.end = piece.end


def adapt_window(tcb: Tcb) -> None:
    """Step 4 (§6.2): widen the reordering window once a round trip in which DSACKs came."""
    rack = tcb.rack
    if (rack.mult == 1 and not rack.dsack_seen) or tcb.stack.settings.tcp_recovery & ONE_WINDOW:
        return
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
    loss = tcb.loss
    if not loss.reorderings:
        by_count = not tcb.stack.settings.tcp_recovery & NO_DUP_THRESH
        if loss.phase >= RECOVERY or (by_count and tcb.flight.sacked_octets >= loss.reordering * tcb.smss):
            return 0
    return min(tcb.rack.mult * (tcb.rtt.least // 4), tcb.rtt.srtt)


def detect_loss(tcb: Tcb, now: int) -> int:
    """Step 5 (§6.2): deem lost what was sent long enough before the latest delivered.

    Returns the nanoseconds until the next would be, 0 if there is none to wait for.
    """
    rack = tcb.rack
    window = reordering_window(tcb)
    wait = 0
    for piece in tcb.flight.unsacked():
        if not _later(rack.turn, rack.end, piece.turn, piece.end):
            if piece.times == 1:
                break  # all that follow went out later still, for the first time or again
            continue
        if piece.written_off or (piece.lost and not piece.resent):
            continue
        remaining = overdue_in(tcb, piece, window, now)
        if remaining > 0:
            wait = max(wait, remaining)
            continue
        if piece.resent:
            tcb.stack.count("TCPLostRetransmit")
        tcb.flight.deem_lost(piece)
        piece.written_off = True
    return wait


def overdue_in(tcb: Tcb, piece: Sent, window: int, now: int) -> int:
    """How long a stretch may still be under way, when what was sent after it has arrived."""
    return piece.at + tcb.rack.rtt + window - now


def _later(turn: int, end: int, other_turn: int, other_end: int) -> bool:
    """RACK_sent_after (§6.2)."""
    return turn > other_turn or (turn == other_turn and end > other_end)


def may_probe(tcb: Tcb) -> bool:
    """Whether the tail is probed before it times out (§7.2)."""
    loss = tcb.loss
    return (
        tcb.stack.settings.tcp_early_retrans in (3, 4)
        and tcb.terms.sack
        and (loss.phase is OPEN or loss.phase is CWR)
        and tcb.rack.probe_end < 0
    )


def probe_timeout(tcb: Tcb) -> int:
    """PTO (§7.2) in nanoseconds: with one segment in flight its acknowledgment may be a delayed one."""
    if not tcb.rtt.srtt:
        return SECOND
    sent = tcb.flight.sent
    single = len(sent) == 1 and sent[0].segments == 1
    return 2 * tcb.rtt.srtt + (tcb.stack.settings.tcp_rto_min_us * US if single else LEAST_TIMEOUT)


def probe_acknowledged(tcb: Tcb, ack: int, *, dsack: bool, duplicate: bool) -> bool:
    """§7.4.2: after the probe's acknowledgment, say whether it repaired a loss, which then counts as one."""
    rack = tcb.rack
    if ack < rack.probe_end:
        return False
    repaired = rack.probe_resent and not dsack and ack > rack.probe_end
    if repaired or not rack.probe_resent or dsack or duplicate:
        rack.probe_end = -1
    return repaired
