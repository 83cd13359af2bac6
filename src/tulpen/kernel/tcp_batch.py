"""What the tracepoints told in a while, put together by socket: each with a word (see tcp_codes).

With numpy all events are taken at once, without it one after another; both give the same.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tulpen.kernel import tcp_codes as codes
from tulpen.kernel.ring_buffer import PageLayout, walk, walk_bulk
from tulpen.kernel.tcp_layout import DESTROY, KINDS, RECEIVE_RESET, RETRANSMIT, SEND_RESET, SET_STATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from tulpen.kernel.tcp_layout import TcpLayout

    Longs = NDArray[np.int64]

_IRQ: Final = 0x58  # TRACE_FLAG_HARDIRQ, _SOFTIRQ, _NMI: whoever was interrupted has nothing to do with it
_SOFTIRQS_OFF: Final = 0x80  # TRACE_FLAG_BH_OFF
_INDEX_BITS: Final = 22
_ALIGNED: Final = 6  # no two sockets lie within 64 octets
_WHERE: Final = (1 << 64) - (1 << _ALIGNED)
_TCP: Final = 6

_u16: Final = struct.Struct("=H").unpack_from
_i32: Final = struct.Struct("=i").unpack_from
_u32: Final = struct.Struct("=I").unpack_from
_u64: Final = struct.Struct("=Q").unpack_from


# What one socket did: where the kernel has it; its word; the times of the word's octets, in ns of
# CLOCK_MONOTONIC; the offset of the last inet_sock_set_state in the batch's pages, -1 for none; the first
# thread that did something to it, 0 for unknown; its cookie, 0 for unknown.  An opening begins a run of
# its own, a destruction ends one: the kernel gives the memory of a dead socket to the next, of which no more
# than its destruction may be seen, where the events are filtered by port.
Run = tuple[int, bytes, list[int], int, int, int]


class Batch(NamedTuple):
    """All that was read at once."""

    pages: memoryview
    events: int
    counts: list[int]  # how often each octet came
    runs: Iterable[Run]  # to be taken once; by socket
    resets: list[tuple[int, int]]  # each tcp_send_reset: its offset and its octet


def read_batch(pages: memoryview, page: PageLayout, layout: TcpLayout, *, bulk: bool) -> Batch:
    """Return what whole pages of the ring buffer tell; what is damaged or strange is left out."""
    return (_bulk if bulk else _plain)(pages, page, layout)


def _plain(pages: memoryview, page: PageLayout, layout: TcpLayout) -> Batch:
    times, offsets, _ = walk(pages, page)
    limit = len(pages) - layout.longest
    found: dict[int, list[tuple[int, int, int]]] = {}
    whole: list[tuple[int, list[tuple[int, int, int]]]] = []
    counts = [0] * 256
    resets = []
    for now, at in sorted(zip(times, offsets, strict=True)):
        kind = layout.kinds.get(_u16(pages, at)[0], 0) if at <= limit else 0
        code = _code(pages, at, kind, layout) if kind else codes.NOTHING
        if code == codes.NOTHING:
            continue
        counts[code] += 1
        if kind == KINDS[SEND_RESET]:
            resets.append((at, code))
        socket = _u64(pages, at + layout.sockets[kind])[0] & _WHERE
        if not socket:
            continue
        if code in codes.OPENINGS and socket in found:
            whole.append((socket, found.pop(socket)))
        found.setdefault(socket, []).append((now, at, code))
        if kind == KINDS[DESTROY]:
            whole.append((socket, found.pop(socket)))
    runs = [_run(pages, layout, socket, events) for socket, events in (*whole, *found.items())]
    return Batch(pages, sum(counts), counts, runs, resets)


def _code(pages: memoryview, at: int, kind: int, layout: TcpLayout) -> int:
    flags = pages[at + layout.flags]
    if kind == KINDS[SET_STATE]:
        if layout.protocol is not None and _protocol(pages, at, layout) != _TCP:
            return codes.NOTHING
        old, new = _i32(pages, at + layout.old_state)[0], _i32(pages, at + layout.new_state)[0]
        if not (1 <= old <= 12 and 1 <= new <= 12):
            return codes.NOTHING
        if new == codes.CLOSE:
            new = _close(flags)
        return int(old << 4 | new)
    if kind == KINDS[DESTROY]:
        return codes.RELEASED if flags & (_IRQ | _SOFTIRQS_OFF) == _SOFTIRQS_OFF else codes.DESTROYED
    if kind == KINDS[RECEIVE_RESET]:
        return codes.RESET_RECEIVED
    if kind == KINDS[RETRANSMIT]:
        return codes.RETRANSMITTED
    return codes.RESET_SENT if layout.reason < 0 else layout.reasons[_u32(pages, at + layout.reason)[0] & 255]


def _close(flags: int) -> int:
    if flags & _IRQ:
        return codes.CLOSE_IN_SOFTIRQ
    return codes.CLOSE_OF_ANOTHER if flags & _SOFTIRQS_OFF else codes.CLOSE


def _protocol(pages: memoryview, at: int, layout: TcpLayout) -> int:
    assert layout.protocol is not None
    start = at + layout.protocol.offset
    return int.from_bytes(pages[start : start + layout.protocol.size], sys.byteorder)


def _run(pages: memoryview, layout: TcpLayout, socket: int, events: list[tuple[int, int, int]]) -> Run:
    named, pid, cookie = -1, 0, 0
    for _, at, code in events:
        if codes.STEPS[code] is not None:
            named = at
        elif code in (codes.DESTROYED, codes.RELEASED) and layout.cookie >= 0:
            cookie = _u64(pages, at + layout.cookie)[0]
        if not pid and code != codes.RESET_RECEIVED and not pages[at + layout.flags] & _IRQ:
            pid = _u32(pages, at + layout.pid)[0]
    return socket, bytes(code for _, _, code in events), [now for now, _, _ in events], named, pid, cookie


def _bulk(pages: memoryview, page: PageLayout, layout: TcpLayout) -> Batch:
    import numpy as np

    times, offsets = walk_bulk(pages, page)
    octets = np.frombuffer(pages, np.uint8)
    words = np.frombuffer(pages, np.uint32)
    within = offsets <= len(pages) - layout.longest
    if not within.all():
        times, offsets = times[within], offsets[within]
    order = np.argsort(times, kind="stable")
    times, offsets = times[order], offsets[order]
    head = words[offsets >> 2]
    kinds = _kind_table(layout)[head & 0xFFFF if sys.byteorder == "little" else head >> 16]
    irq = octets[offsets + layout.flags]
    code = _codes(np, kinds, offsets, irq, words, octets, layout)
    good = code != codes.NOTHING
    if not good.all():
        times, offsets, kinds, irq, code = times[good], offsets[good], kinds[good], irq[good], code[good]
    counts = np.bincount(code, minlength=256).tolist()
    sent = np.flatnonzero(kinds == KINDS[SEND_RESET])
    resets = list(zip(offsets[sent].tolist(), code[sent].tolist(), strict=True))
    sockets = _sockets(np, kinds, offsets, words, layout)
    count = len(code)
    named = sockets != 0
    if not named.all():
        sockets, times, offsets, kinds, irq, code = (
            each[named] for each in (sockets, times, offsets, kinds, irq, code)
        )
    runs = _runs(np, sockets, times, offsets, kinds, irq, code, words, layout) if len(code) else ()
    return Batch(pages, count, counts, runs, resets)


def _kind_table(layout: TcpLayout) -> NDArray[np.uint8]:
    import numpy as np

    table = np.zeros(65_536, np.uint8)
    for number, kind in layout.kinds.items():
        table[number & 0xFFFF] = kind
    return table


def _codes(np: Any, kinds: Any, offsets: Longs, irq: Any, words: Any, octets: Any, layout: TcpLayout) -> Any:
    """Return every event's octet."""
    code = np.zeros(len(offsets), np.uint8)
    chosen = np.flatnonzero(kinds == KINDS[SET_STATE])
    at = offsets[chosen]
    old, new = words[(at + layout.old_state) >> 2], words[(at + layout.new_state) >> 2]
    flags = irq[chosen]
    context = np.where(
        flags & _IRQ, codes.CLOSE_IN_SOFTIRQ, np.where(flags & _SOFTIRQS_OFF, codes.CLOSE_OF_ANOTHER, codes.CLOSE)
    )
    step = old << 4 | np.where(new == codes.CLOSE, context, new).astype(np.uint32)
    valid = (old >= 1) & (old <= 12) & (new >= 1) & (new <= 12)
    if layout.protocol is not None:
        low = layout.protocol.offset + (0 if sys.byteorder == "little" else layout.protocol.size - 1)
        high = layout.protocol.offset + (1 if sys.byteorder == "little" else layout.protocol.size - 2)
        valid &= octets[at + low] == _TCP
        if layout.protocol.size > 1:
            valid &= octets[at + high] == 0
    code[chosen] = np.where(valid, step, codes.NOTHING)
    destroyed = kinds == KINDS[DESTROY]
    by_close = irq[destroyed] & (_IRQ | _SOFTIRQS_OFF) == _SOFTIRQS_OFF
    code[destroyed] = np.where(by_close, codes.RELEASED, codes.DESTROYED)
    code[kinds == KINDS[RECEIVE_RESET]] = codes.RESET_RECEIVED
    code[kinds == KINDS[RETRANSMIT]] = codes.RETRANSMITTED
    sent = np.flatnonzero(kinds == KINDS[SEND_RESET])
    if len(sent) and layout.reason >= 0:
        reasons = np.frombuffer(layout.reasons, np.uint8)
        code[sent] = reasons[words[(offsets[sent] + layout.reason) >> 2] & 255]
    else:
        code[sent] = codes.RESET_SENT
    return code


def _sockets(np: Any, kinds: Any, offsets: Longs, words: Any, layout: TcpLayout) -> Any:
    """Return where the kernel has every event's socket."""
    return _long(np, words, (offsets + np.array(layout.sockets, np.int64)[kinds]) >> 2) & np.uint64(_WHERE)


def _long(np: Any, words: Any, at: Longs) -> Any:
    """Return the numbers of 64 bits that begin at these words."""
    low, high = (0, 1) if sys.byteorder == "little" else (1, 0)
    return words[at + low].astype(np.uint64) | words[at + high].astype(np.uint64) << np.uint64(32)


def _runs(
    np: Any, sockets: Any, times: Any, offsets: Longs, kinds: Any, irq: Any, code: Any, words: Any, layout: TcpLayout
) -> Iterable[Run]:
    """Put the events together by socket: sorted by the socket's address and the place in time, in one number."""
    index = np.arange(len(sockets), dtype=np.uint64)
    key = np.sort((sockets >> np.uint64(_ALIGNED)) << np.uint64(_INDEX_BITS) | index)
    order = (key & np.uint64((1 << _INDEX_BITS) - 1)).astype(np.int64)
    sockets, offsets, kinds, code = sockets[order], offsets[order], kinds[order], code[order]
    begins = (code == codes.ACTIVE_OPEN) | (code == codes.PASSIVE_OPEN) | (code == codes.LISTENING)
    begins[0] = True
    begins[1:] |= (sockets[1:] != sockets[:-1]) | (kinds[:-1] == KINDS[DESTROY])
    first = np.flatnonzero(begins)
    place = np.arange(len(order))
    named = np.maximum.reduceat(np.where(kinds == KINDS[SET_STATE], offsets, -1), first)
    destroyed = np.maximum.reduceat(np.where(kinds == KINDS[DESTROY], offsets, -1), first)
    at = np.maximum(destroyed + layout.cookie, 0) >> 2
    cookie = np.where((destroyed >= 0) & (layout.cookie >= 0), _long(np, words, at), 0)
    by_process = (irq[order] & _IRQ == 0) & (kinds != KINDS[RECEIVE_RESET])
    actor = np.minimum.reduceat(np.where(by_process, place, len(order)), first)
    known = actor < len(order)
    pid = np.where(known, words[(offsets[np.where(known, actor, 0)] + layout.pid) >> 2], 0)
    starts, word, when = first.tolist(), code.tobytes(), times[order].tolist()
    bounds = list(zip(starts, [*starts[1:], len(word)], strict=True))
    return zip(
        sockets[first].tolist(), [word[a:b] for a, b in bounds], [when[a:b] for a, b in bounds],
        named.tolist(), pid.tolist(), cookie.tolist(), strict=True,
    )  # fmt: skip
