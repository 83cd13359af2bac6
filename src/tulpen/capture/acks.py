"""What an acknowledgment says: of text that arrived, of the round trip, of the window, of text that is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.wire.segment import ACK, FIN, RST, SYN
from tulpen.wire.seq import before, unwrap

if TYPE_CHECKING:
    from tulpen.capture.end import End
    from tulpen.capture.evidence import Findings
    from tulpen.capture.seen import Seen

MS: Final = 1_000_000
STAMPS: Final = 64  # timestamps that wait for their echo
DELAYED: Final = range(35 * MS, 600 * MS)  # what a delayed ACK may take (RFC 9293 §3.8.6.3)
SLOW: Final = 550 * MS


def ack_sent(acker: End, other: End, side: int, seg: Seen, findings: Findings) -> None:
    """Take what ``acker`` says of the text of ``other``."""
    near = other.una if other.una is not None else other.nxt
    ack = seg.ack if near is None else unwrap(seg.ack, near)
    pure = not seg.length and not seg.flags & (SYN | FIN | RST)
    if other.nxt is None:
        other.nxt = ack
    if other.una is None:
        other.una = ack
    if ack > other.nxt:
        _beyond(other, ack, 1 - side, seg, findings)
    if ack > other.una:
        _advance(acker, other, side, seg, ack, findings)
    elif pure and ack == other.una and seg.wnd == acker.last_wnd and other.nxt > ack and acker.last_ack == ack:
        acker.dup_acks += 1
    options = seg.options
    if options.sack:
        _sack(other, side, seg, ack, findings)
    if options.tsval is not None and other.stamps:
        _echo(other, seg)
    acker.last_ack = ack if acker.last_ack is None else max(acker.last_ack, ack)
    acker.last_ack_when = seg.when
    other.probes_open = 0
    _window(acker, other, side, seg, ack, findings)
    acker.last_wnd = seg.wnd


def _beyond(other: End, ack: int, side: int, seg: Seen, findings: Findings) -> None:
    # Nobody acknowledges what was not sent, so the capture misses it (or somebody lies).
    assert other.nxt is not None
    missed = ack - other.nxt
    if missed == 1 and other.packets == 1 and not other.data_packets:
        other.nxt = ack  # what was seen first was a keep-alive
        return
    findings.add("not-captured", side, seg.frame, f"acknowledges {missed} octets not captured")
    other.gaps += missed
    other.nxt = ack


def _advance(acker: End, other: End, side: int, seg: Seen, ack: int, findings: Findings) -> None:
    other.una = ack
    other.tries = 0
    acker.dup_acks = 0
    newest = None
    flight, at = other.flight, other.flight_from
    while at < len(flight) and flight[at].end <= ack:
        if flight[at].times == 1:
            newest = flight[at]
        elif newest is not None:
            newest = None
        at += 1
    if newest is not None:
        waited = seg.when - newest.first
        other.rtt.add(waited)
        if at == len(flight):
            _waited(other, newest.end - newest.start, waited)
        if waited > SLOW + other.rtt.least and other.rtt.count > 1 and not other.holes:
            findings.add("slow-ack", side, seg.frame, f"after {waited / 1e9:.3g} s")
    other.flight_from = at
    if at > 4096 or at == len(flight):
        del flight[:at]
        other.flight_from = 0
    if other.holes:
        for hole in other.holes:
            if hole.end <= ack:
                other.gaps += hole.end - hole.start
                findings.add("not-captured", 1 - side, seg.frame)
        other.holes = [hole for hole in other.holes if hole.end > ack]


def _waited(other: End, size: int, waited: int) -> None:
    # The last small segment waited for its ACK as long as a delayed one takes: was more text held back?
    delayed = waited in DELAYED and waited > 4 * other.rtt.least and (not other.mss or size < max(other.mss, 536))
    other.small_waits = waited if delayed else 0


def stalled(sender: End, side: int, seg: Seen, findings: Findings) -> None:
    """Text follows at once on an ACK that was delayed: the sender had waited for it (Nagle's algorithm)."""
    if sender.small_waits and sender.una == sender.nxt:
        evidence = findings.add("delayed-ack-stall", side, seg.frame, "had waited for the delayed ACK")
        evidence.seconds += sender.small_waits / 1e9
    sender.small_waits = 0


def _sack(other: End, side: int, seg: Seen, ack: int, findings: Findings) -> None:
    blocks = seg.options.sack
    left, right = blocks[0]
    left, right = unwrap(left, ack), unwrap(right, ack)
    within = False
    if len(blocks) > 1:
        second = unwrap(blocks[1][0], ack), unwrap(blocks[1][1], ack)
        within = second[0] <= left and right <= second[1]
    if right <= ack or within:  # RFC 2883 §4
        findings.add("dsack", side, seg.frame, "DSACK")
    else:
        findings.add("sack", side, seg.frame)
    for a, b in blocks:
        if unwrap(a, ack) >= ack:
            other.highest_sack = max(other.highest_sack, unwrap(b, ack))


def stamp_sent(sender: End, side: int, seg: Seen, findings: Findings, *, in_order: bool) -> None:
    """Take a segment's timestamp: remember it for its echo, and see whether it went back."""
    tsval = seg.options.tsval
    if tsval is None:
        if sender.timestamps and sender.stamped and not seg.flags & RST:
            findings.add("no-timestamp", side, seg.frame, "no timestamp")
        return
    if sender.stamped and before(tsval, sender.stamped) and in_order and seg.length:
        findings.add("paws", side, seg.frame, "its timestamp went back")
    elif not sender.stamped or not before(tsval, sender.stamped):
        sender.stamped = tsval
    if (seg.length or seg.flags & (SYN | FIN)) and tsval not in sender.stamps:
        if len(sender.stamps) >= STAMPS:
            del sender.stamps[next(iter(sender.stamps))]
        sender.stamps[tsval] = seg.when


def _echo(other: End, seg: Seen) -> None:
    when = other.stamps.pop(seg.options.tsecr, None)
    if when is not None:
        other.rtt_stamped.add(seg.when - when)


def _window(acker: End, other: End, side: int, seg: Seen, ack: int, findings: Findings) -> None:
    if seg.flags & RST:
        return
    scale = _scale(acker, other)
    if seg.flags & SYN:
        scale = 0
    elif scale is None:
        acker.wnd = 0 if seg.wnd == 0 else -1
        _closed(acker, other, side, seg, findings)
        return
    wnd = seg.wnd << scale
    edge = ack + wnd
    newest = acker.last_ack is None or ack >= acker.last_ack
    if acker.edge is not None and edge + (1 << scale) <= acker.edge and newest and not seg.flags & (SYN | FIN) and wnd:
        findings.add("shrunk-window", side, seg.frame, "takes the window back")
    if newest:
        acker.wnd = wnd
        acker.edge = edge
        _closed(acker, other, side, seg, findings)


def _closed(acker: End, other: End, side: int, seg: Seen, findings: Findings) -> None:
    if seg.flags & (SYN | FIN) or other.fin is not None:
        return  # who will get no more text needs no window
    if seg.wnd == 0:
        findings.add("zero-window", side, seg.frame, "zero window")
        acker.closed_window = acker.closed_window or seg.when
    elif acker.closed_window:
        acker.closed_window_time += max(seg.when - acker.closed_window, 0)
        acker.closed_window = 0


def _scale(acker: End, other: End) -> int | None:
    """Return the shift of the window field; None where the handshake was not captured."""
    if acker.isn is None or (other.isn is None and acker.wscale >= 0):
        return None
    if acker.wscale < 0 or other.wscale < 0:
        return 0
    return min(acker.wscale, 14)


def acknowledges(seg: Seen) -> bool:
    """Say whether its acknowledgment counts."""
    return bool(seg.flags & ACK) and not seg.flags & RST
