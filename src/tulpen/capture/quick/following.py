"""Segments to flows, compiled; and flows to what is told of them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tulpen.capture.policy import SILENCE
from tulpen.capture.quick.compiled import compiled, inlined
from tulpen.capture.quick.flight import no_flight
from tulpen.capture.quick.layout import ICMP
from tulpen.capture.quick.names import (
    FREE,
    NOBODY,
    begin,
    find,
    fresh,
    give_back,
    is_full,
    make_odd,
    name_hash,
    name_of,
    was_odd,
)  # fmt: skip
from tulpen.capture.quick.neighbours import syn, unanswered
from tulpen.capture.quick.plainly import GOES_ON, MOST_FLIGHT, take
from tulpen.capture.quick.shapes import OVER, TOLD
from tulpen.capture.quick.state import (
    CLOSED,
    COOKIES,
    DONE,
    ECHOED,
    FLIGHT_FULL,
    FLOWS,
    FLOWS_FULL,
    ISN,
    LATEST,
    LEARN,
    LISTENERS,
    LISTENERS_FULL,
    NUMBERS,
    ODD_FULL,
    ODDS,
    OFFERED_STAMPS,
    OPENED,
    PAIRS,
    PASTS,
    PLAIN_FULL,
    PLAINS,
    RUNS,
    RUNS_FULL,
    UNFINISHED,
    Memory,
    Rules,
    Table,
)  # fmt: skip
from tulpen.capture.vantage import INITIAL, NEAR
from tulpen.wire.segment import SYN

_FIRST_TTLS: Final = INITIAL


@compiled
def follow(segments: Any, at: int, memory: Memory, table: Table, rules: Rules) -> Any:
    """Take segments from ``at`` on; return where it came to, why, and what is to be learned: a shape and a letter."""
    for here in range(at, len(segments)):
        s = segments[here]
        why = _lacks(memory, s)
        if why != DONE:
            return here, why, 0, 0
        flow = _flow(memory, s, table, rules)
        if flow == NOBODY:
            return here, FLOWS_FULL, 0, 0
        f = memory.flows[flow]
        if f.odd:
            f.last_when = max(f.last_when, s.when)
        else:
            said = take(memory, flow, s, table, rules)
            if said > GOES_ON:
                return here, LEARN, np.int64(f.shape), said - 1
            if said < GOES_ON:
                make_odd(memory, flow)
        if s.flags & SYN and not s.has & ICMP:
            syn(memory, flow, s, rules)
        memory.count[LATEST] = s.when
    return len(segments), DONE, np.int64(0), 0


@inlined
def _flow(memory: Memory, s: Any, table: Table, rules: Rules) -> Any:
    """Return the flow of a segment, a new one if need be; NOBODY where there is no room for it."""
    vlan = name_of(s, rules)
    code = name_hash(s, vlan, rules.key)
    flow = find(memory, s, vlan, code)
    if flow == NOBODY:
        if is_full(memory):
            return flow
        flow = begin(memory, s, vlan, code)
        if was_odd(memory.past, code):
            make_odd(memory, flow)
    f = memory.flows[flow]
    if not f.odd and f.last_side != NOBODY and is_past(f, table, s.when):
        if tell(memory, flow, table):
            fresh(memory, flow, s)
        else:
            make_odd(memory, flow)
    return flow


@inlined
def _lacks(memory: Memory, s: Any) -> Any:
    """Return what is full that this segment may need."""
    count = memory.count
    if no_flight(memory) and len(memory.flight) < MOST_FLIGHT:
        return FLIGHT_FULL
    if count[PLAINS] == len(memory.plain):
        return PLAIN_FULL
    if s.flags & SYN:
        if count[RUNS] == len(memory.runs):
            return RUNS_FULL
        if 2 * (count[LISTENERS] + 1) > len(memory.listeners):
            return LISTENERS_FULL
        if count[COOKIES] + count[RUNS] + 2 > len(memory.cookies) or count[ODDS] + count[RUNS] + 4 > len(memory.odd):
            return ODD_FULL
    if count[ODDS] + (count[RUNS] if s.flags & SYN else 0) + 4 > len(memory.odd) or count[PAIRS] + 2 > len(
        memory.pairs
    ):
        return ODD_FULL
    return DONE


@compiled
def is_past(f: Any, table: Table, now: int) -> Any:
    """Say whether the connection of a flow is over, and 2 MSL have passed in silence."""
    return now - f.last_when > SILENCE and bool(table.flags[f.shape] & OVER)


@compiled
def tell(memory: Memory, flow: int, table: Table) -> Any:
    """Tell the connection of a flow; say whether that could be done."""
    f = memory.flows[flow]
    if not table.flags[f.shape] & TOLD:
        return False
    first, second = memory.ends[2 * flow], memory.ends[2 * flow + 1]
    for side in range(2):
        e, other = memory.ends[2 * flow + side], memory.ends[2 * flow + 1 - side]
        if e.samples == 0 and e.knows & ECHOED:
            return False  # there may be a round trip by timestamps
        heard = other.often[0] > 0 or other.resets > 0
        if e.knows & OPENED and e.knows & OFFERED_STAMPS and not heard:
            return False  # it may be behind an earlier one of its address
    row = memory.plain[memory.count[PLAINS]]
    memory.count[PLAINS] += 1
    row.shape = f.shape
    row.place = _place(first, second)
    row.six = f.six
    row.vlan = f.tag
    row.tags = f.tags
    row.first_frame = f.first_frame
    row.last_frame = f.last_frame
    row.start = f.start
    row.last_when = f.last_when
    row.idle = f.idle
    for side in range(2):
        e = memory.ends[2 * flow + side]
        row.port[side] = f.port[side]
        row.address[side, 0] = f.address[side, 0]
        row.address[side, 1] = f.address[side, 1]
        row.packets[side] = e.often[0] + e.often[1] + e.resets
        row.bytes[side] = _octets(e)
        row.rtt[side] = e.least
    for letter in range(f.letters):
        row.frame[letter] = f.first_frame + np.int64(f.frame[letter])
        row.when[letter] = f.when[letter]
    for letter in range(f.letters, len(row.frame)):
        row.frame[letter] = 0
        row.when[letter] = 0
    return True


@compiled
def _octets(e: Any) -> Any:
    # What it sent is all the numbers it has used, but for those of SYN and FIN.
    if not e.knows & NUMBERS:
        return np.int64(0)
    return e.nxt - np.int64(e.first) - (1 if e.knows & ISN else 0) - (1 if e.knows & CLOSED else 0)


@compiled
def _place(first: Any, second: Any) -> Any:
    # vantage.taken_at
    raw_first, raw_second = first.knows & UNFINISHED != 0, second.knows & UNFINISHED != 0
    if raw_first != raw_second:
        return 0 if raw_first else 1
    hops_first, hops_second = _hops(first), _hops(second)
    if hops_first < 0 or hops_second < 0:
        return -1
    if (hops_first == 0) != (hops_second == 0):
        return 0 if hops_first == 0 else 1
    if hops_first != 0:
        return 2
    if not first.least or not second.least:
        return -1
    if (first.least - 1) // NEAR >= second.least:  # as products would be, did 64 bits hold them
        return 0
    return 1 if (second.least - 1) // NEAR >= first.least else -1


@compiled
def _hops(e: Any) -> Any:
    if e.often[0] == 0:
        return -1
    usual = np.int64(e.ttl[0] if e.often[0] >= e.often[1] else e.ttl[1])
    for first in _FIRST_TTLS:
        if usual <= first:
            return first - usual
    return -1


@compiled
def sweep(memory: Memory, table: Table, now: int, at: int) -> Any:
    """Tell and forget what is past; return where it came to: as many as there are, or less where there is no room."""
    count = memory.count
    for flow in range(at, count[FLOWS]):
        f = memory.flows[flow]
        if f.shape == FREE or now - f.last_when <= SILENCE:
            continue
        if count[PLAINS] == len(memory.plain) or not _has_room(memory):
            return flow
        if f.odd or is_past(f, table, now):
            _let_go(memory, flow, table)
    return count[FLOWS]


@compiled
def finish(memory: Memory, table: Table, at: int) -> Any:
    """Tell everything; return as ``sweep`` does."""
    count = memory.count
    for flow in range(at, count[FLOWS]):
        if memory.flows[flow].shape == FREE:
            continue
        if count[PLAINS] == len(memory.plain) or not _has_room(memory):
            return flow
        _let_go(memory, flow, table)
    return count[FLOWS]


@compiled
def _has_room(memory: Memory) -> Any:
    count = memory.count
    if 2 * (count[PASTS] + 1) > len(memory.past):
        return False
    return count[ODDS] + 1 < len(memory.odd) and count[PAIRS] + 1 < len(memory.pairs)


@compiled
def _let_go(memory: Memory, flow: int, table: Table) -> None:
    f = memory.flows[flow]
    if not f.odd and not tell(memory, flow, table):
        make_odd(memory, flow)
    if f.odd:
        unanswered(memory, f)
    give_back(memory, flow)
