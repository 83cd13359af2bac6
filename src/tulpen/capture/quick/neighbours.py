"""SYN cookies and clocks, compiled: what ``capture.hosts`` and ``capture.listeners`` find, of names odd or plain."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tulpen.capture.listeners import BITS, ENOUGH, NO_SCALE, OF_ECN, OF_SACK
from tulpen.capture.policy import SILENCE
from tulpen.capture.quick.compiled import compiled
from tulpen.capture.quick.layout import SACK_PERMITTED, SCALE, STAMP
from tulpen.capture.quick.names import NOBODY, end_hash, make_odd, mixed, side_of
from tulpen.capture.quick.state import COOKIES, LISTENERS, NEVER, PAIRS, RUNS, RUNS_GONE, Memory, Rules
from tulpen.capture.seen import Sum
from tulpen.wire.segment import ACK, ECE, RST, SYN

# Bits of a flow's ``offers``.
SIDE: Final = 1
WAITS: Final = 2
ANSWERED: Final = 4
OFFERS: Final = 8
STAMPED: Final = 16  # by a timestamp that is not 0
STAMPS: Final = 32
UNSURE: Final = 64  # by the policy, silence may have parted it from its answer

_WRONG: Final = int(Sum.WRONG)
_MASK: Final = 0xFFFF_FFFF
_WIDEST: Final = 14
_ONE: Final = np.uint64(1)
_NONE: Final = np.uint64(0)


@compiled
def syn(memory: Memory, flow: int, s: Any, rules: Rules) -> None:
    """Take a SYN or SYN,ACK, as ``Listeners.syn`` does."""
    if s.checksum == _WRONG and rules.drops != NEVER:
        return
    flags = s.flags & (SYN | ACK | RST)
    f = memory.flows[flow]
    if flags == SYN:
        _offer(memory, f, s, rules)
    elif flags == SYN | ACK and _is_answer(f, s):
        f.offers |= ANSWERED
        _answer(memory, flow, f, s, rules)


@compiled
def unanswered(memory: Memory, f: Any) -> None:
    """Remember whose clock matters, where the last SYN of a flow had a timestamp and no answer."""
    answered = f.offers & ANSWERED and not f.offers & UNSURE
    if answered or f.offers & (WAITS | STAMPS) != WAITS | STAMPS:
        return
    side = f.offers & SIDE
    pair = memory.pairs[memory.count[PAIRS]]
    for half in range(2):
        pair.src[half] = f.address[side, half]
        pair.dst[half] = f.address[1 - side, half]
    pair.six = f.six
    memory.count[PAIRS] += 1


@compiled
def _offer(memory: Memory, f: Any, s: Any, rules: Rules) -> None:
    side = side_of(f, s)
    if f.offers & WAITS:
        again = f.offered == s.seq and f.offers & SIDE == side
        if again and s.when - f.offered_when <= SILENCE:
            return
        unanswered(memory, f)
        at = f.run - memory.count[RUNS_GONE]
        if f.run != NOBODY and at >= 0:
            memory.runs[at].gone = True
        f.run = NOBODY
    has = s.has
    f.offered = s.seq
    f.offered_when = s.when
    f.offered_bits = (min(s.scale, _WIDEST) if has & SCALE else NO_SCALE) | (OF_SACK if has & SACK_PERMITTED else 0)
    f.offers = (
        side
        | WAITS
        | (OFFERS if has & (SCALE | SACK_PERMITTED) else 0)
        | (STAMPED if has & STAMP and s.tsval else 0)
        | (STAMPS if has & STAMP else 0)
        | (UNSURE if rules.idle else 0)
    )


@compiled
def _is_answer(f: Any, s: Any) -> Any:
    if f.offers & (WAITS | ANSWERED) != WAITS or f.offers & SIDE == side_of(f, s):
        return False
    return s.when - f.offered_when <= SILENCE and np.int64(s.ack) == (np.int64(f.offered) + 1) & _MASK


@compiled
def _answer(memory: Memory, flow: int, f: Any, s: Any, rules: Rules) -> None:
    at = _listener(memory, s, rules)
    listener = memory.listeners[at]
    granted, stamped = s.has & (SCALE | SACK_PERMITTED), s.has & STAMP
    if granted and not (stamped and s.tsval):
        listener.grants = True
    if not f.offers & OFFERS:
        return
    if stamped:
        _stamped(memory, flow, f, listener, s)
    elif not granted and listener.grants and not f.offers & STAMPED:
        _is_one(memory, flow, s.frame)


@compiled
def _listener(memory: Memory, s: Any, rules: Rules) -> Any:
    table = memory.listeners
    here = end_hash(s.src[0], s.src[1], s.sport, rules.key)
    code = mixed(here + end_hash(s.dst[0], s.dst[1], 0, rules.key) * np.uint64(3)) | _ONE
    mask = np.uint64(len(table) - 1)
    at = code & mask
    while table[at].hash != _NONE and not (table[at].hash == code and _is_its(table[at], s)):
        at = (at + _ONE) & mask
    row = table[at]
    if row.hash == _NONE:
        row.hash = code
        for half in range(2):
            row.src[half] = s.src[half]
            row.dst[half] = s.dst[half]
        row.port = s.sport
        row.six = s.six
        memory.count[LISTENERS] += 1
        row.when = s.when - SILENCE - 1
    if s.when - row.when > SILENCE:
        row.grants = False
        row.rest = -1
        row.count = 0
        row.run = NOBODY
    row.when = s.when
    return np.int64(at)


@compiled
def _is_its(row: Any, s: Any) -> Any:
    return (
        row.port == s.sport and row.six == s.six and row.src[0] == s.src[0] and row.src[1] == s.src[1]
        and row.dst[0] == s.dst[0] and row.dst[1] == s.dst[1]
    )  # fmt: skip


@compiled
def _stamped(memory: Memory, flow: int, f: Any, listener: Any, s: Any) -> None:
    count = memory.count
    rest = (np.int64(s.tsval) - (np.int64(f.offered_bits) | (OF_ECN if s.flags & ECE else 0))) & BITS
    if rest != listener.rest:
        listener.rest = rest
        listener.count = 0
        listener.run = NOBODY
    _note(listener, s.tsval)
    row = memory.runs[count[RUNS]]
    row.frame = s.frame
    row.when = s.when
    row.before = listener.run
    row.flow = flow
    row.gone = False
    f.run = listener.run = count[RUNS] + count[RUNS_GONE]
    count[RUNS] += 1
    if listener.count < ENOUGH:
        return
    at = listener.run - count[RUNS_GONE]
    while at >= 0:
        one = memory.runs[at]
        if not one.gone and s.when - one.when <= SILENCE:
            holds = memory.flows[one.flow].run == at + count[RUNS_GONE]
            _is_one(memory, one.flow if holds else NOBODY, one.frame)
        at = one.before - count[RUNS_GONE] if one.before != NOBODY else NOBODY
    listener.run = NOBODY


@compiled
def _note(listener: Any, tsval: int) -> None:
    for at in range(listener.count):
        if listener.stamps[at] == tsval:
            return
    if listener.count < ENOUGH:
        listener.stamps[listener.count] = tsval
        listener.count += 1


@compiled
def _is_one(memory: Memory, flow: int, frame: int) -> None:
    memory.cookies[memory.count[COOKIES]] = frame
    memory.count[COOKIES] += 1
    if flow != NOBODY and not memory.flows[flow].odd:
        make_odd(memory, flow)


@compiled
def listen_anew(old: Any, memory: Memory) -> None:
    """Put the listeners of ``old`` that were heard in the last 2 MSL, and again 2 MSL, where they are found."""
    table, now = memory.listeners, np.int64(0)
    for row in old:
        now = max(now, row.when) if row.hash != _NONE else now
    mask = np.uint64(len(table) - 1)
    memory.count[LISTENERS] = 0
    for n in range(len(old)):
        if old[n].hash == _NONE or now - old[n].when > 2 * SILENCE:
            continue
        at = old[n].hash & mask
        while table[at].hash != _NONE:
            at = (at + _ONE) & mask
        table[at] = old[n]
        memory.count[LISTENERS] += 1
