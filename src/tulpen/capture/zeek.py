"""``conn_state`` and ``history`` as Zeek's conn.log has them (docs.zeek.org, base/protocols/conn).

Zeek's idea of an endpoint has seven values and asks for no sequence number; it is followed here as its documentation
and its published logs have it, timeouts included, apart from the machine that ``tulpen read`` tells of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, final

from tulpen.capture.seen import IcmpError, Seen, Sum
from tulpen.capture.zeek_gaps import Stream
from tulpen.wire.address import text
from tulpen.wire.segment import ACK, FIN, RST, SYN
from tulpen.wire.seq import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

Name = tuple[bytes, int, bytes, int]

SECOND: Final = 1_000_000_000
INACTIVE_FOR: Final = 300 * SECOND  # tcp_inactivity_timeout
ATTEMPT: Final = 5 * SECOND  # tcp_attempt_delay
CLOSED_FOR: Final = 5 * SECOND  # tcp_close_delay
LINGERS: Final = 5 * SECOND  # tcp_connection_linger
EMBRYONIC: Final = 60 * SECOND  # until the handshake is over
FAR: Final = 1 << 20

#: Ports that Zeek's own scripts register for servers: where the first segment is no SYN, they tell who is one.
SERVER_PORTS: Final = frozenset((
    21, 22, 23, 25, 53, 80, 81, 88, 102, 110, 135, 139, 143, 389, 443, 445, 465, 502, 513, 514, 563, 585, 587, 591,
    593, 614, 631, 636, 853, 990, 992, 993, 994, 995, 1080, 1344, 1433, 1434, 1883, 2404, 2811, 3128, 3268, 3269, 3306,
    3389, 5060, 5222, 5223, 5269, 5432, 5671, 5900, 6379, 6666, 6667, 6668, 6669, 8000, 8080, 8443, 8883, 8888, 20000,
))  # fmt: skip


class At(Enum):
    """Where Zeek sees an endpoint."""

    INACTIVE = 0
    SYN_SENT = 1
    SYN_ACK_SENT = 2
    PARTIAL = 3
    ESTABLISHED = 4
    CLOSED = 5
    RESET = 6


class Row(NamedTuple):
    """A row of conn.log."""

    ts: float
    orig_h: str
    orig_p: int
    resp_h: str
    resp_p: int
    duration: float
    orig_bytes: int
    resp_bytes: int
    conn_state: str
    history: str
    orig_pkts: int
    resp_pkts: int


@final
@dataclass(slots=True, eq=False)
class _Side:
    address: bytes
    port: int
    at: At = At.INACTIVE
    before: At = At.INACTIVE
    start: int = 0  # the SYN's sequence number, or what it would have been
    last: int = 0
    acked: int = 0
    known: bool = False
    closed: bool = False
    packets: int = 0
    last_of: dict[str, int] = field(default_factory=dict)  # sequence number by letter
    seen: set[str] = field(default_factory=set)
    scaled: dict[str, list[int]] = field(default_factory=dict)  # count and next threshold, by letter
    fins: int = 0
    wraps: int = 0
    stream: Stream = field(default_factory=Stream)

    def to(self, at: At) -> None:
        if at is not self.at:
            self.before, self.at = self.at, at

    def size(self) -> int:
        top = self.last if (self.last - self.acked) & MASK < 1 << 31 else self.acked
        size = (top - self.start) & MASK
        size = 0 if size >= 1 << 31 else size + 0
        size -= size > 0
        return size - (size > 0 and self.fins > 0)


@final
class _Flow:
    """One connection, as Zeek counts them."""

    __slots__ = ("done", "first", "flipped", "history", "last", "orig", "resp", "until")

    def __init__(self, seg: Seen) -> None:
        self.orig = _Side(seg.src, seg.sport)
        self.resp = _Side(seg.dst, seg.dport)
        self.first = seg.when
        self.last = seg.when
        self.history = ""
        self.flipped = False
        self.done = False
        self.until = 0  # when it is removed, once both have closed

    def flip(self) -> None:
        self.orig, self.resp = self.resp, self.orig
        self.history = "^" + self.history.swapcase()

    def note(self, side: _Side, letter: str) -> None:
        self.history += letter if side is self.orig else letter.lower()

    def note_once(self, side: _Side, letter: str) -> bool:
        """Note it the first time; say whether it had been noted before."""
        if letter in "AD" and self.history == "H":
            self.orig, self.resp = self.resp, self.orig
            self.history = "^h"
        if letter in side.seen:
            return True
        side.seen.add(letter)
        self.note(side, letter)
        return False

    def note_scaled(self, side: _Side, letter: str) -> None:
        count = side.scaled.setdefault(letter, [0, 1])
        count[0] += 1
        if count[0] >= count[1]:
            self.note(side, letter)
            count[1] *= 10


@final
class ZeekLog:
    """Takes segments, gives rows."""

    __slots__ = ("_flows", "_known", "_rows", "_strict")

    def __init__(self, *, checksums: bool = True) -> None:
        self._flows: dict[Name, _Flow] = {}
        self._rows: list[Row] = []
        self._strict = checksums

    def take(self, seg: Seen | IcmpError) -> None:
        """Take the next segment."""
        if isinstance(seg, IcmpError):
            return
        name = (seg.src, seg.sport, seg.dst, seg.dport)
        name = min(name, (seg.dst, seg.dport, seg.src, seg.sport))
        flow = self._flows.get(name)
        if flow is not None and (_expired(flow, seg.when) or _is_reuse(flow, seg)):
            self._rows.append(_row(self._flows.pop(name)))
            flow = None
        if flow is None:
            flow = self._flows[name] = _begun(seg)
        _pass(flow, seg, strict=self._strict)

    def rows(self) -> Iterator[Row]:
        """Yield every row, in the order of the first packets."""
        left = [_row(flow) for flow in self._flows.values()]
        yield from sorted([*self._rows, *left], key=lambda row: row.ts)


def _begun(seg: Seen) -> _Flow:
    flow = _Flow(seg)
    if seg.flags & (SYN | ACK) != SYN and seg.sport in SERVER_PORTS:
        both = seg.dport in SERVER_PORTS
        if not both or (not seg.flags & SYN and seg.sport < seg.dport):
            flow.orig, flow.resp = flow.resp, flow.orig
            flow.history = "^"
    return flow


def _expired(flow: _Flow, now: int) -> bool:
    idle = now - flow.last
    if flow.until and now > flow.until:
        return True
    orig, resp = flow.orig, flow.resp
    opening = (At.INACTIVE, At.SYN_SENT, At.SYN_ACK_SENT)
    if orig.at in (At.SYN_SENT, At.SYN_ACK_SENT) and resp.at is At.INACTIVE and now - flow.first > ATTEMPT:
        return True
    if idle > LINGERS and (orig.closed or resp.closed):
        gone = {orig.at, resp.at} & {At.RESET, At.INACTIVE}
        if (orig.closed and resp.closed) or gone:
            return True
    return idle >= (EMBRYONIC if orig.at in opening and resp.at in opening else INACTIVE_FOR)


def _is_reuse(flow: _Flow, seg: Seen) -> bool:
    """A SYN with another sequence number begins another connection."""
    if not seg.flags & SYN:
        return False
    orig, resp = flow.orig, flow.resp
    of = orig
    if seg.flags & ACK:
        if orig.at is not At.INACTIVE:
            return False
        of = resp
    over = orig.closed and resp.closed
    if not over and (orig.at is At.RESET or resp.at is At.RESET):
        over = True
    if over:
        return True
    if seg.seq == of.start:
        return False
    return not (not seg.flags & ACK and of.at is At.SYN_ACK_SENT and resp.at is At.INACTIVE and seg.seq == resp.start)


def _pass(flow: _Flow, seg: Seen, *, strict: bool) -> None:
    is_orig = seg.src == flow.orig.address and seg.sport == flow.orig.port
    side = flow.orig if is_orig else flow.resp
    side.packets += 1
    if strict and seg.checksum in (Sum.WRONG, Sum.UNFINISHED):
        flow.last = max(flow.last, seg.when)
        flow.note_scaled(side, "C")
        return
    peer = flow.resp if side is flow.orig else flow.orig
    length = 0 if seg.flags & RST else seg.length
    end = (seg.seq + length + bool(seg.flags & SYN) + bool(seg.flags & FIN)) & MASK
    _begin_side(side, seg, end)
    _letters(flow, side, seg)
    peer = flow.resp if side is flow.orig else flow.orig
    if seg.wnd == 0 and not seg.flags & RST and peer.at is not At.CLOSED and side.at is not At.RESET:
        flow.note_scaled(side, "W")
    if not (flow.orig.closed and flow.resp.closed):
        flow.last = max(flow.last, seg.when)
    side.fins += bool(seg.flags & FIN)
    if seg.flags & ACK:
        _acked(side, peer, seg)
    _advance(flow, side, seg, end)
    _moves(flow, side, peer, seg)
    if seg.flags & ACK and peer.known:
        _gaps(flow, side, peer, seg)
    if length and not seg.flags & RST:
        side.stream.data((seg.seq + bool(seg.flags & SYN) - side.start - 1) & MASK, seg.length)


def _begin_side(side: _Side, seg: Seen, end: int) -> None:
    syn = bool(seg.flags & SYN)
    fresh = side.at is At.INACTIVE
    again = syn and side.at in (At.SYN_SENT, At.SYN_ACK_SENT) and seg.seq != side.start
    inside = syn and side.at in (At.ESTABLISHED, At.PARTIAL)
    reborn = syn and side.at is At.RESET and side.before is At.INACTIVE
    if not (fresh or again or inside or reborn):
        return
    start = seg.seq if syn else seg.seq - 1 & MASK
    side.start = side.acked = start
    side.last = end if syn else seg.seq
    side.known = True


def _letters(flow: _Flow, side: _Side, seg: Seen) -> None:
    flags = seg.flags
    bits = bool(flags & SYN) + bool(flags & FIN) + bool(flags & RST)
    if bits > 1:
        flow.note_once(side, "I" if flags & FIN and flags & RST else "Q")
        return
    if not bits:
        if seg.length:
            flow.note_once(side, "D")
        elif flags & ACK:
            flow.note_once(side, "A")
        return
    if flags & SYN:
        letter, where = ("H" if flags & ACK else "S"), seg.seq
    elif flags & FIN:
        letter, where = "F", seg.seq + seg.length & MASK
    else:
        letter, where = "R", seg.seq
    kind = "S" if flags & SYN else letter
    if flow.note_once(side, letter) and side.last_of.get(kind) != where:
        flow.note(side, letter)
    side.last_of[kind] = where


def _acked(side: _Side, peer: _Side, seg: Seen) -> None:
    if peer.at is At.INACTIVE:
        peer.start = peer.acked = peer.last = seg.ack - 1 & MASK
        peer.known = True
        return
    ahead = (seg.ack - peer.acked) & MASK
    if 0 < ahead < 1 << 31 and not seg.flags & RST and not (seg.ack == 0 and ahead > FAR):
        peer.acked = seg.ack


def _advance(flow: _Flow, side: _Side, seg: Seen, end: int) -> None:
    ahead = ((end - side.last + (1 << 31)) & MASK) - (1 << 31)
    if seg.flags & (SYN | RST) and abs(ahead) > FAR:
        return
    if seg.flags & FIN and side.last == (side.start + 1) & MASK:
        side.last = end
    elif side.at is At.RESET:
        return
    elif ahead > 0:
        side.last = end
    elif seg.length:
        flow.note_scaled(side, "T")


def _gaps(flow: _Flow, side: _Side, peer: _Side, seg: Seen) -> None:
    acked = (seg.ack - peer.start - 1) & MASK
    if acked < 1 << 31 and peer.stream.acked(acked - (peer.fins > 0), closing=_closing(side, peer)):
        flow.note_scaled(peer, "G")


def _closing(side: _Side, peer: _Side) -> bool:
    clean = (At.ESTABLISHED, At.CLOSED)
    settled = peer.at in clean or (peer.at is At.RESET and peer.before is At.CLOSED)
    return not (settled and (side.at in clean or (side.at is At.RESET and side.before is At.CLOSED)))


def _moves(flow: _Flow, side: _Side, peer: _Side, seg: Seen) -> None:
    is_orig = side is flow.orig
    if side.at is At.INACTIVE:
        _from_inactive(flow, side, peer, seg, is_orig=is_orig)
    elif side.at in (At.SYN_SENT, At.SYN_ACK_SENT):
        _finish_or_reset(flow, side, peer, seg)
    elif side.at in (At.ESTABLISHED, At.PARTIAL):
        if seg.flags & SYN and side.at is At.PARTIAL and peer.at is At.INACTIVE and not seg.flags & ACK:
            side.to(At.SYN_SENT)
        if seg.flags & FIN and not seg.flags & RST:
            side.to(At.CLOSED)
            if peer.at is At.RESET and peer.before is At.CLOSED:
                peer.to(At.CLOSED)
            _did_close(flow, side, peer, seg.when)
        if seg.flags & RST:
            side.to(At.RESET)
            _did_close(flow, side, peer, seg.when)
    elif side.at is At.CLOSED and seg.flags & RST and peer.at is not At.CLOSED:
        side.to(At.RESET)
        _did_close(flow, side, peer, seg.when)


def _finish_or_reset(flow: _Flow, side: _Side, peer: _Side, seg: Seen) -> None:
    if seg.flags & FIN:
        side.to(At.CLOSED)
        _did_close(flow, side, peer, seg.when)
    if seg.flags & RST:
        side.to(At.RESET)
        _did_close(flow, side, peer, seg.when)


def _from_inactive(flow: _Flow, side: _Side, peer: _Side, seg: Seen, *, is_orig: bool) -> None:
    flags = seg.flags
    if flags & SYN:
        if is_orig:
            side.to(At.SYN_ACK_SENT if flags & ACK else At.SYN_SENT)
        else:
            if not flags & ACK and peer.at is At.SYN_ACK_SENT and seg.seq == side.start:
                flow.flip()
                peer.to(At.ESTABLISHED)
            if peer.at is At.SYN_SENT:
                peer.to(At.ESTABLISHED)
            side.to(At.ESTABLISHED)
    _finish_or_reset(flow, side, peer, seg)
    if side.at is At.INACTIVE:
        early = not is_orig and not seg.length and flow.orig.at is At.SYN_SENT
        if early:
            return
        side.to(At.ESTABLISHED if flags & ACK and peer.at is At.ESTABLISHED else At.PARTIAL)


def _did_close(flow: _Flow, side: _Side, peer: _Side, now: int) -> None:
    if side.closed:
        return
    side.closed = True
    if side.at is At.RESET or peer.closed or peer.at is At.INACTIVE:
        flow.until = now + CLOSED_FOR


def conn_state(orig: At, resp: At, history: str, *, empty: bool) -> str:
    """Return the word for two endpoints; ``empty``: neither sent text."""
    orig_unheard, resp_unheard = orig in (At.INACTIVE, At.PARTIAL), resp in (At.INACTIVE, At.PARTIAL)
    if resp is At.RESET:
        if orig in (At.SYN_SENT, At.SYN_ACK_SENT) or (orig is At.RESET and empty):
            return "REJ"
        return "RSTRH" if orig_unheard else "RSTR"
    if orig is At.RESET:
        if resp_unheard:
            return "RSTOS0" if re.match(r"\^?S[^HAFGIQ]*R", history) else "OTH"
        return "RSTO"
    if orig is At.CLOSED:
        return "SF" if resp is At.CLOSED else "SH" if resp_unheard else "S2"
    if resp is At.CLOSED:
        return "SHR" if orig_unheard else "S3"
    if orig is At.SYN_SENT and resp is At.INACTIVE:
        return "S0"
    return "S1" if orig is resp is At.ESTABLISHED else "OTH"


def _row(flow: _Flow) -> Row:
    orig, resp = flow.orig, flow.resp
    sizes = _size(orig, resp), _size(resp, orig)
    return Row(
        flow.first / 1e9,
        text(orig.address),
        orig.port,
        text(resp.address),
        resp.port,
        (flow.last - flow.first) / 1e9,
        *sizes,
        conn_state(orig.at, resp.at, flow.history, empty=not any(sizes)),
        flow.history,
        orig.packets,
        resp.packets,
    )


def _size(side: _Side, peer: _Side) -> int:
    if side.before is At.SYN_SENT and side.at is At.RESET and peer.at is At.INACTIVE:
        return 0
    return side.size()
