"""The text that one end sends: what is new, what is sent again and why, what overtook what."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from tulpen.capture.end import LONGEST_FLIGHT, MOST_HOLES, Hole, Sent
from tulpen.wire.segment import FIN, SYN
from tulpen.wire.seq import before, unwrap

if TYPE_CHECKING:
    from tulpen.capture.end import End
    from tulpen.capture.evidence import Findings
    from tulpen.capture.seen import Seen

MS: Final = 1_000_000
DUP_THRESH: Final = 3
SHORTEST_TIMEOUT: Final = 180 * MS  # Linux waits 200 ms at least, and a capture's clock may err
QUICK: Final = 3 * MS  # what overtakes by less has been reordered, where the round trip is not known


def text_sent(sender: End, receiver: End, side: int, seg: Seen, findings: Findings, round_trip: int) -> None:
    """Take a segment of ``sender`` that occupies sequence space, or could be a probe; SYNs have been taken before."""
    size = seg.length + bool(seg.flags & FIN)
    if sender.nxt is None:
        sender.nxt = seg.seq
        sender.una = seg.seq if sender.una is None else sender.una
    start = unwrap(seg.seq, sender.nxt) + bool(seg.flags & SYN)
    end = start + size
    if _is_probe(sender, receiver, start, seg):
        _probe(sender, receiver, side, seg, findings)
        return
    if not size:
        return
    _against_the_window(sender, receiver, side, seg, start, end, findings)
    if start > sender.nxt:
        sender.holes.append(Hole(sender.nxt, start, seg.when, seg.ident, seg.options.tsval))
        if len(sender.holes) > MOST_HOLES:
            del sender.holes[0]
    if start >= sender.nxt:
        _new(sender, seg, start, end)
        return
    _old(sender, receiver, side, seg, start, min(end, sender.nxt), findings, round_trip)
    if end > sender.nxt:
        _new(sender, seg, sender.nxt, end)


def _new(sender: End, seg: Seen, start: int, end: int) -> None:
    sender.nxt = end
    sender.bytes += end - start - bool(seg.flags & FIN)
    if sender.una is not None and end <= sender.una:
        return  # acknowledged before it was captured: the other way was quicker
    if len(sender.flight) - sender.flight_from < LONGEST_FLIGHT:
        sender.flight.append(Sent(start, end, seg.when, seg.frame, seg.ident, seg.options.tsval))


def _is_probe(sender: End, receiver: End, start: int, seg: Seen) -> bool:
    # A keep-alive, or Linux's window probe: just before what comes next, with an octet or none.
    if seg.length > 1 or seg.flags & (SYN | FIN) or sender.nxt is None or start != sender.nxt - 1:
        return False
    return seg.length == 0 or sender.una is None or sender.una >= sender.nxt


def _probe(sender: End, receiver: End, side: int, seg: Seen, findings: Findings) -> None:
    if receiver.wnd == 0:
        findings.add("window-probes", side, seg.frame, "window probe")
        return
    sender.keep_alives += 1
    sender.probes_open += 1
    findings.add("keep-alives", side, seg.frame, "keep-alive")


def _old(
    sender: End, receiver: End, side: int, seg: Seen, start: int, end: int, findings: Findings, round_trip: int
) -> None:
    """What was passed already: a hole that is filled, the same packet twice, or text sent again."""
    hole = _hole_at(sender, start)
    if hole is not None:
        _fill(sender, receiver, side, seg, hole, start, end, findings, round_trip)
        return
    sent = _sent_at(sender, start)
    if sent is None:
        if sender.una is not None and end <= sender.una:
            if seg.ident == sender.ident and seg.ident > 0 and seg.when - sender.last_when < QUICK:
                findings.add("duplicated", side, seg.frame, "captured twice")
            else:
                _again(side, seg, findings, "spurious", "sent again, and had been acknowledged")
        else:
            _again(side, seg, findings, "", "retransmission")
        return
    if _is_copy(sent, receiver, seg, round_trip):
        findings.add("duplicated", side, seg.frame, "captured twice")
        return
    since = seg.when - sent.last
    sent.times += 1
    sent.last = seg.when
    sent.latest = seg.frame
    sender.tries += 1
    if receiver.dup_acks >= DUP_THRESH or sender.highest_sack >= end:
        _again(side, seg, findings, "fast-retransmits", "fast retransmit")
    elif since >= max(SHORTEST_TIMEOUT, round_trip):
        _again(side, seg, findings, "timeouts", f"sent again after {since / 1e9:.3g} s")
        _backoff(sent, side, seg, since, findings)
    else:
        _again(side, seg, findings, "", "retransmission")
    sent.ident = seg.ident


def _again(side: int, seg: Seen, findings: Findings, kind: str, note: str) -> None:
    findings.add("retransmissions", side, seg.frame, note)
    if kind:
        findings.add(kind, side, seg.frame)


def _backoff(sent: Sent, side: int, seg: Seen, since: int, findings: Findings) -> None:
    # MUST-19: the third wait in a row that is not longer than the one before.
    waits = sent.times - 1
    average = (seg.when - sent.first) / waits
    if waits >= 5 and since < 1.3 * average:
        findings.add("no-backoff", side, seg.frame)


def _fill(
    sender: End,
    receiver: End,
    side: int,
    seg: Seen,
    hole: Hole,
    start: int,
    end: int,
    findings: Findings,
    round_trip: int,
) -> None:
    if _was_overtaken(seg, hole, receiver, round_trip):
        findings.add("reordered", side, seg.frame, "overtaken")
    else:
        _again(side, seg, findings, "", "retransmission; the original was not captured")
        if receiver.dup_acks >= DUP_THRESH or sender.highest_sack >= end:
            findings.add("fast-retransmits", side, seg.frame)
        elif seg.when - hole.when >= max(SHORTEST_TIMEOUT, round_trip):
            findings.add("timeouts", side, seg.frame)
        sender.tries += 1
    sender.bytes += min(end, hole.end) - max(start, hole.start)
    sender.holes.remove(hole)
    if hole.start < start:
        sender.holes.append(Hole(hole.start, start, hole.when, hole.ident, hole.tsval))
    if end < hole.end:
        sender.holes.append(Hole(end, hole.end, hole.when, hole.ident, hole.tsval))
    if sender.una is None or end > sender.una:
        at = bisect_right(sender.flight, start, sender.flight_from, key=_start)
        sent = Sent(start, end, seg.when, seg.frame, seg.ident, seg.options.tsval)
        sent.times = 2  # Karn: no round trip is measured by it
        sender.flight.insert(at, sent)


def _was_overtaken(seg: Seen, hole: Hole, receiver: End, round_trip: int) -> bool:
    if seg.ident > 0 and hole.ident > 0 and seg.ident != hole.ident:
        distance = (hole.ident - seg.ident) & 0xFFFF
        if distance < 0x400:
            return True  # it was made before the one that passed it
        if distance > 0xFC00:
            return False
    mine, theirs = seg.options.tsval, hole.tsval
    if mine is not None and theirs is not None and mine != theirs:
        return before(mine, theirs)
    if receiver.dup_acks >= DUP_THRESH:
        return False
    return seg.when - hole.when < (round_trip * 4 // 5 if round_trip else QUICK)


def _is_copy(sent: Sent, receiver: End, seg: Seen, round_trip: int) -> bool:
    # One packet at two places of the capture, or doubled by the network: even its IP identification is the same.
    since = seg.when - sent.last
    if sent.tsval != seg.options.tsval or sent.times > 1:
        return False
    if seg.ident > 0 and sent.ident > 0:
        return seg.ident == sent.ident and since < SHORTEST_TIMEOUT
    return receiver.last_frame < sent.latest and since < min(round_trip // 2 or MS, MS)


def _hole_at(sender: End, start: int) -> Hole | None:
    for hole in sender.holes:
        if hole.start <= start < hole.end:
            return hole
    return None


def _sent_at(sender: End, start: int) -> Sent | None:
    at = bisect_right(sender.flight, start, sender.flight_from, key=_start) - 1
    if at < sender.flight_from:
        return None
    sent = sender.flight[at]
    return sent if sent.start <= start < sent.end else None


def _start(sent: Sent) -> int:
    return sent.start


def _against_the_window(
    sender: End, receiver: End, side: int, seg: Seen, start: int, end: int, findings: Findings
) -> None:
    edge = receiver.edge
    if edge is None or not seg.length or sender.nxt is None:
        return
    text_end = end - bool(seg.flags & FIN)
    if text_end == edge and end > sender.nxt:
        findings.add("window-full", side, seg.frame, "fills the window")
    elif text_end > edge and start >= sender.nxt:
        if receiver.wnd == 0 and seg.length == 1:
            findings.add("window-probes", side, seg.frame, "window probe")
        elif start > sender.nxt and start >= edge + max(receiver.wnd, 1460):  # else ACKs were not captured
            findings.add("beyond-window", side, seg.frame, "beyond the window")
