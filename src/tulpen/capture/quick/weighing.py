"""A RST of a plain connection: what its cause is judged by, as a letter (``capture.resets``)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tulpen.capture.cause import IDLE as FORGOTTEN_AFTER
from tulpen.capture.cause import PROMPT
from tulpen.capture.quick import letters
from tulpen.capture.quick.compiled import compiled
from tulpen.capture.quick.keys import key_of, place
from tulpen.capture.quick.names import NOBODY
from tulpen.capture.quick.numbers import unwrap
from tulpen.capture.quick.shapes import NEVER, REFUSES
from tulpen.capture.quick.state import ACKED, LATE, NUMBERS, SENT, Memory, Table
from tulpen.wire.segment import ACK, FIN, SYN

TEXT: Final = FIN  # so ``last_flags`` says that there was text

_MASK: Final = 0xFFFF_FFFF
_FAR: Final = 0x2000


@compiled
def reset(memory: Memory, flow: int, side: int, s: Any, table: Table) -> Any:
    """Take a RST; return as ``plainly.take`` does."""
    f = memory.flows[flow]
    a, b = memory.ends[2 * flow + side], memory.ends[2 * flow + 1 - side]
    if b.resets:
        return -1  # which of the two counts is not said here
    if s.frame - f.first_frame > _MASK or not _is_exact(f, a, b, side, s, table) or _is_forged(a, s):
        return -1
    letter = letters.RESET + _features(f, a, b, side, s)
    at = place(table.keys, key_of(f.shape, letter))
    if table.keys[at] == 0:
        return letter + 1
    after = table.after[at]
    if after == NEVER:
        return -1
    if not f.reset:
        f.idle = max(s.when - f.last_when, 0) if f.last_side != NOBODY else 0
    if after != f.shape:
        f.frame[f.letters] = s.frame - f.first_frame
        f.when[f.letters] = s.when
        f.letters += 1
        f.shape = after
    return 0


@compiled
def _is_exact(f: Any, a: Any, b: Any, side: int, s: Any, table: Table) -> Any:
    """Say whether its numbers are those that are expected."""
    if f.last_side == NOBODY:
        return True
    if table.flags[f.shape] & (REFUSES << side):
        return bool(s.flags & ACK) and np.int64(s.ack) == (np.int64(b.first) + 1) & _MASK
    if not a.knows & NUMBERS:
        return False
    if s.flags & ACK and b.knows & NUMBERS and unwrap(s.ack, b.una) > b.nxt:
        return False
    expected = a.una if b.knows & ACKED else a.nxt
    seq = unwrap(s.seq, expected)
    return seq == expected or seq == a.nxt


@compiled
def _is_forged(a: Any, s: Any) -> Any:
    # Both a TTL and an IP identification out of line; of the other signs there are too few.
    packets = a.often[0] + a.often[1]
    known = (a.often[0] and s.ttl == a.ttl[0]) or (a.often[1] and s.ttl == a.ttl[1])
    if packets < 2 or known or a.ident < 0 or s.ident <= 0:
        return False
    return a.ident == 0 or (np.int64(s.ident) - np.int64(a.ident)) & 0xFFFF > _FAR


@compiled
def _features(f: Any, a: Any, b: Any, side: int, s: Any) -> Any:
    letter = side | (letters.WITH_ACK if s.flags & ACK else 0)
    if f.last_side == NOBODY:
        return letter
    letter |= (letters.SENT if a.knows & SENT else 0) | (letters.GOT if b.knows & SENT else 0)
    letter |= letters.LATE_TEXT if a.knows & LATE else 0
    if b.text_when > a.text_when and b.text_when > 0:
        letter |= letters.UNANSWERED
    idle = s.when - f.last_when
    letter += letters.IDLE * (
        letters.RECENT if idle < PROMPT else letters.LONG if idle < FORGOTTEN_AFTER else letters.FORGOTTEN
    )
    if f.last_side == side:
        return letter
    before = letters.OPENING if f.last_flags & SYN else letters.TEXT if f.last_flags & TEXT else letters.OTHER
    letter += letters.BEFORE * before
    return letter | (letters.ANSWERS if _answers(f, s) else 0)


@compiled
def _answers(f: Any, s: Any) -> Any:
    if f.last_flags & ACK:
        return not s.flags & ACK and s.seq == f.last_ack
    return s.flags & ACK != 0 and s.seq == 0
