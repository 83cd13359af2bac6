"""One segment of a plain connection: what the exact reader would find in it, and what it changes.

Each step says what comes of the segment: the letter to be learned, from 1; GOES_ON; or IS_ODD, where the exact reader
would find something, or might.  Nothing has been changed where there is a letter to be learned.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tulpen.capture.acks import DELAYED, SLOW
from tulpen.capture.conversation import MS
from tulpen.capture.end import LONGEST_FLIGHT
from tulpen.capture.quick.compiled import compiled, inlined
from tulpen.capture.quick.flight import departs, no_flight
from tulpen.capture.quick.layout import (
    EXACT,
    FAST_OPEN,
    MSS,
    SACK,
    SACK_PERMITTED,
    SCALE,
    STAMP,
    STRANGE,
)  # fmt: skip
from tulpen.capture.quick.letters import OF_FIN, WITH_ACK, WITH_FIN, WITH_SYN, WITH_TEXT
from tulpen.capture.quick.names import NOBODY, side_of
from tulpen.capture.quick.numbers import before, unwrap
from tulpen.capture.quick.shapes import NEVER as NO_SHAPE
from tulpen.capture.quick.shapes import NOT_YET
from tulpen.capture.quick.state import (
    ACKED,
    ALWAYS,
    ANSWERED,
    CLOSED,
    ECHOED,
    EDGE,
    FREE_FLIGHT,
    ISN,
    LATE,
    NEVER,
    NUMBERS,
    OFFERED_STAMPS,
    OPENED,
    RIGHT,
    SENT,
    SPOKE,
    STAMPED,
    UNFINISHED,
    Memory,
    Rules,
    Table,
)  # fmt: skip
from tulpen.capture.quick.weighing import TEXT, reset
from tulpen.capture.seen import Sum
from tulpen.wire.segment import ACK, FIN, RST, SYN

GOES_ON: Final = 0
IS_ODD: Final = -1
MOST_FLIGHT: Final = 1 << 21  # records of text under way, of all flows

_WRONG: Final = int(Sum.WRONG)
_GOOD: Final = int(Sum.GOOD)
_UNFINISHED: Final = int(Sum.UNFINISHED)
_FIRST_WAIT: Final = DELAYED.start
_LAST_WAIT: Final = DELAYED.stop
_LONGEST: Final = LONGEST_FLIGHT - 1
_MASK: Final = 0xFFFF_FFFF
_SOON: Final = 5 * MS
_AGES: Final = 1 << 61
_SMALL: Final = 536
_WIDEST: Final = 14
_UNPLAIN: Final = EXACT | SACK | FAST_OPEN | STRANGE
_OF_SYN: Final = MSS | SCALE | SACK_PERMITTED


@inlined
def take(memory: Memory, flow: int, s: Any, table: Table, rules: Rules) -> Any:
    """Take the next segment of a flow that is not odd."""
    f = memory.flows[flow]
    side = side_of(f, s)
    sender = memory.ends[2 * flow + side]
    if _is_unplain(f, sender, s, rules):
        return IS_ODD
    said = reset(memory, flow, side, s, table) if s.flags & RST else _segment(memory, flow, side, s, table)
    if said == GOES_ON:
        _count(f, sender, side, s)
    return said


@inlined
def _is_unplain(f: Any, sender: Any, s: Any, rules: Rules) -> Any:
    """Say whether flags, options or checksum alone show it, or an earlier RST."""
    flags = s.flags
    if s.has & _UNPLAIN or (f.reset and not flags & RST):
        return True
    if flags & SYN:
        if flags & (FIN | RST):
            return True
    elif s.has & _OF_SYN or not flags & (ACK | RST) or (flags & FIN and flags & RST):
        return True
    if s.checksum == _WRONG and rules.drops != NEVER and (rules.drops == ALWAYS or sender.knows & RIGHT):
        return True
    return rules.idle > 0 and f.last_side != NOBODY and s.when - f.last_when > rules.idle


@inlined
def _segment(memory: Memory, flow: int, side: int, s: Any, table: Table) -> Any:
    f = memory.flows[flow]
    a, b = memory.ends[2 * flow + side], memory.ends[2 * flow + 1 - side]
    flags = s.flags
    syn = flags & SYN
    start = unwrap(s.seq, a.nxt) if a.knows & NUMBERS and not syn else np.int64(s.seq)
    acked = np.int64(0)
    if flags & ACK:
        acked = unwrap(s.ack, b.una) if b.knows & NUMBERS else np.int64(s.ack)
    if not (_may_open(f, a, b, s) if syn else _fits(a, b, s, start)) or not _has_its_stamp(a, b, s, start):
        return IS_ODD
    if (flags & ACK and not _may_acknowledge(a, b, s, acked)) or not _has_place(memory, f, a, s):
        return IS_ODD
    letter = _letter(side, b, s, acked)
    after = table.next[f.shape, letter]
    if after == NOT_YET:
        return letter + 1
    if after == NO_SHAPE:
        return IS_ODD
    if after != f.shape:
        write(f, s, after)
    if syn:
        _opens(f, a, s)
    else:
        _sends(memory, f, a, b, s, start)
    _stamps(a, s)
    return GOES_ON if not flags & ACK or _acknowledges(memory, f, a, b, s, acked) else IS_ODD


@inlined
def _letter(side: int, b: Any, s: Any, acked: int) -> Any:
    flags = s.flags
    letter = side | (WITH_SYN if flags & SYN else 0) | (WITH_FIN if flags & FIN else 0) | (WITH_TEXT if s.length else 0)
    if flags & ACK:
        letter |= WITH_ACK
        if b.knows & CLOSED and acked >= b.nxt:
            letter |= OF_FIN
    return letter


@compiled
def write(f: Any, s: Any, after: int) -> None:
    """Add a letter to the word of a flow."""
    f.frame[f.letters] = s.frame - f.first_frame
    f.when[f.letters] = s.when
    f.letters += 1
    f.shape = after


# what would be found in it


@compiled
def _may_open(f: Any, a: Any, b: Any, s: Any) -> Any:
    if s.length or (s.has & SCALE and s.scale > _WIDEST) or _is_for_many(s.six, s.src) or _is_for_many(s.six, s.dst):
        return False
    if s.sport == s.dport and s.src[0] == s.dst[0] and s.src[1] == s.dst[1]:
        return False
    if f.last_side == NOBODY:
        return True
    answers = b.knows & OPENED and not a.knows & NUMBERS
    return bool(s.flags & ACK and answers and np.int64(s.ack) == (np.int64(b.first) + 1) & _MASK)


@compiled
def _is_for_many(six: int, address: Any) -> Any:
    # wire.address.is_multicast and is_broadcast
    if six:
        return np.int64(address[0] >> np.uint64(56)) == 0xFF
    low = np.int64(address[1])
    return low >> 28 == 0xE or low == _MASK


@inlined
def _fits(a: Any, b: Any, s: Any, start: int) -> Any:
    """Say whether its text comes next, in the window, and it is no probe."""
    length, fin = np.int64(s.length), s.flags & FIN
    nxt = a.nxt if a.knows & NUMBERS else start
    if length <= 1 and not fin and start == nxt - 1:
        return False
    if length or fin:
        if a.knows & CLOSED or start != nxt:
            return False
        if length and b.knows & EDGE and start + length == b.edge:
            return False
    if length:
        return not (a.waited and a.una == nxt and s.when - b.ack_when < max(_round_trip(a, b), _SOON))
    third = (a.knows & (OPENED | SPOKE)) == OPENED and b.knows & ANSWERED and b.often[0] + b.often[1] == 1
    if third and not fin:
        return np.int64(s.ack) == (np.int64(b.first) + 1) & _MASK and np.int64(s.seq) == (np.int64(a.first) + 1) & _MASK
    return True


@compiled
def _round_trip(a: Any, b: Any) -> Any:
    return min(a.least, _AGES) + min(b.least, _AGES)


@compiled
def _has_its_stamp(a: Any, b: Any, s: Any, start: int) -> Any:
    if not a.stamped:
        return True
    if s.has & STAMP:
        next_text = a.knows & NUMBERS and s.length and start == a.nxt
        return not (next_text and before(s.tsval, a.stamped))
    return not (b.stamped and a.knows & ISN and b.knows & ISN)


@inlined
def _may_acknowledge(a: Any, b: Any, s: Any, acked: int) -> Any:
    if s.wnd == 0:
        return False
    syn, fin = s.flags & SYN, s.flags & FIN
    newest = True
    if b.knows & NUMBERS:
        if acked > b.nxt or (b.knows & ISN and acked <= np.int64(b.first)):
            return False
        newest = acked >= b.una
        if not newest and not a.knows & ACKED:
            return False
    if syn or fin or not newest or not a.knows & EDGE or not _scale_is_known(a, b):
        return True
    shift = _scale(a, b)
    return acked + (np.int64(s.wnd) << shift) + (np.int64(1) << shift) > a.edge


@compiled
def _scale_is_known(a: Any, b: Any) -> Any:
    return bool(a.knows & ISN) and (bool(b.knows & ISN) or a.scale < 0)


@compiled
def _scale(a: Any, b: Any) -> Any:
    return np.int64(0) if a.scale < 0 or b.scale < 0 else np.int64(min(a.scale, _WIDEST))


@inlined
def _has_place(memory: Memory, f: Any, a: Any, s: Any) -> Any:
    # Of a third TTL, and of a flight that the exact reader would not remember.
    if a.flying >= _LONGEST or no_flight(memory) or s.frame - f.first_frame > _MASK:
        return False
    return a.often[0] == 0 or s.ttl == a.ttl[0] or a.often[1] == 0 or s.ttl == a.ttl[1]


# what it changes


@compiled
def _opens(f: Any, a: Any, s: Any) -> None:
    a.first = s.seq
    a.una = np.int64(s.seq)
    a.nxt = a.una + 1
    a.mss = s.mss if s.has & MSS else 0
    a.scale = s.scale if s.has & SCALE else -1
    a.syn = f.letters - 1
    a.knows |= NUMBERS | ISN | (ANSWERED if s.flags & ACK else OPENED) | (OFFERED_STAMPS if s.has & STAMP else 0)


@inlined
def _sends(memory: Memory, f: Any, a: Any, b: Any, s: Any, start: int) -> None:
    if not a.knows & NUMBERS:
        a.first = s.seq
        a.nxt = a.una = start
        a.knows |= NUMBERS
    size = np.int64(s.length) + (1 if s.flags & FIN else 0)
    if s.length:
        a.waited = 0
        a.text_when = s.when
        a.knows |= SENT
        if b.knows & CLOSED:
            b.knows |= LATE
    if s.flags & FIN:
        a.knows |= CLOSED
        if not f.closing:
            f.closing = True
            f.idle = max(s.when - f.last_when, 0) if f.last_side != NOBODY else 0
    if size:
        a.nxt = start + size
        departs(memory, a, s.when, size)


@compiled
def _stamps(a: Any, s: Any) -> None:
    if not s.has & STAMP:
        return
    if not a.stamped or not before(s.tsval, a.stamped):
        if s.tsval != a.stamped:
            a.stamp_when = s.when
        a.stamped = s.tsval
    if s.length or s.flags & (SYN | FIN):
        a.knows |= STAMPED


@inlined
def _acknowledges(memory: Memory, f: Any, a: Any, b: Any, s: Any, acked: int) -> Any:
    syn = s.flags & SYN
    if not b.knows & NUMBERS:
        b.first = s.ack
        b.nxt = b.una = acked
        b.knows |= NUMBERS
    opened, answered = b.knows & OPENED, b.knows & ANSWERED
    if (syn and opened) or (answered and not opened and not a.knows & SPOKE):
        _sample(b, s.when - f.when[b.syn])
    newest = acked >= b.una
    if acked > b.una and not _advances(memory, b, s.when, acked):
        return False
    if s.has & STAMP and b.knows & STAMPED and not (s.tsecr == b.stamped and s.when <= b.stamp_when):
        b.knows |= ECHOED
    a.ack_when = s.when
    a.knows |= ACKED if syn else ACKED | SPOKE
    if newest and (syn or _scale_is_known(a, b)):
        a.edge = acked + (np.int64(s.wnd) << (np.int64(0) if syn else _scale(a, b)))
        a.knows |= EDGE
    return True


@compiled
def _sample(e: Any, waited: int) -> None:
    if waited <= 0:
        return
    e.least = min(e.least, waited) if e.samples else waited
    e.samples = min(e.samples + 1, 2)


@inlined
def _advances(memory: Memory, b: Any, now: int, acked: int) -> Any:
    """Take text that is acknowledged out of the flight; say whether its ACK came in time."""
    b.una = acked
    flight, count = memory.flight, memory.count
    at, when, size = b.head, np.int64(0), np.int64(0)
    if at == NOBODY or flight[at].end > acked:
        return True
    while at != NOBODY and flight[at].end <= acked:
        when, size = flight[at].when, np.int64(flight[at].size)
        after = flight[at].next
        flight[at].next = count[FREE_FLIGHT]
        count[FREE_FLIGHT] = at
        b.flying -= 1
        at = after
    b.head = at
    waited = now - when
    _sample(b, waited)
    if at == NOBODY:
        delayed = _FIRST_WAIT <= waited < _LAST_WAIT and (waited - 1) // 4 >= b.least
        b.waited = waited if delayed and (not b.mss or size < _SMALL or size < b.mss) else 0
    return not (waited - SLOW > b.least and b.samples > 1)


@inlined
def _count(f: Any, sender: Any, side: int, s: Any) -> None:
    f.last_side = side
    f.last_flags = s.flags & (SYN | ACK | RST) | (TEXT if s.length else 0)
    f.last_ack = s.ack
    f.last_frame = s.frame
    f.last_when = max(f.last_when, s.when)
    if s.checksum == _GOOD:
        sender.knows |= RIGHT
    if s.flags & RST:
        f.reset = True
        sender.resets += 1
        return
    if s.checksum == _UNFINISHED:
        sender.knows |= UNFINISHED
    sender.ident = s.ident
    at = 0 if sender.often[0] == 0 or s.ttl == sender.ttl[0] else 1
    sender.ttl[at] = s.ttl
    sender.often[at] += 1
