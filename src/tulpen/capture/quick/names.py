"""Names: where the record of a segment's flow is, a new one, one that is given back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from tulpen.capture.quick.compiled import compiled, inlined
from tulpen.capture.quick.state import (
    FLOWS,
    FREE_FLIGHT,
    FREE_FLOW,
    IN_USE,
    ODDS,
    PASTS,
    Memory,
    Rules,
)  # fmt: skip
from tulpen.wire.segment import SYN

NOBODY: Final = -1
FREE: Final = -1  # shape of a record that is not in use

_A: Final = np.uint64(0x9E3779B97F4A7C15)
_B: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_C: Final = np.uint64(0x165667B19E3779F9)
_SHIFT: Final = np.uint64(29)
_HALF: Final = np.uint64(32)
_LOW: Final = np.uint64(0xFFFF_FFFF)
_ONE: Final = np.uint64(1)
_NONE: Final = np.uint64(0)
_WELL_KNOWN: Final = 1024
_EPHEMERAL: Final = 32_768


@compiled
def mixed(number: Any) -> Any:
    """Return a hash of 64 bits."""
    number = (number ^ (number >> _SHIFT)) * _B
    number = (number ^ (number >> _HALF)) * _C
    return number ^ (number >> _SHIFT)


@inlined
def end_hash(high: int, low: int, port: int, key: int) -> Any:
    """Return the hash of an address and a port."""
    return mixed(mixed(low * _A + np.uint64(key)) + high * _C + np.uint64(port))


@inlined
def name_hash(s: Any, vlan: int, key: int) -> Any:
    """Return the hash of a segment's name, the same for both directions; never 0."""
    here = end_hash(s.src[0], s.src[1], s.sport, key)
    there = end_hash(s.dst[0], s.dst[1], s.dport, key)
    return mixed(here + there + np.uint64(vlan)) | _ONE


@compiled
def side_of(f: Any, s: Any) -> Any:
    """Return which end of a flow sent a segment."""
    same = s.src[1] == f.address[0, 1] and s.sport == f.port[0] and s.src[0] == f.address[0, 0]
    return 0 if same else 1


@compiled
def _is_named(f: Any, s: Any, vlan: int) -> Any:
    if f.six != s.six or f.vlan != vlan:
        return False
    here, there = side_of(f, s), 0
    there = 1 - here
    return (
        s.src[0] == f.address[here, 0] and s.src[1] == f.address[here, 1] and s.sport == f.port[here]
        and s.dst[0] == f.address[there, 0] and s.dst[1] == f.address[there, 1] and s.dport == f.port[there]
    )  # fmt: skip


@inlined
def find(memory: Memory, s: Any, vlan: int, code: int) -> Any:
    """Return the flow of a segment's name, or NOBODY."""
    slots = memory.slots
    mask = np.uint64(len(slots) - 1)
    at = code & mask
    while slots[at] != _NONE:
        if slots[at] >> _HALF == code >> _HALF:
            flow = np.int64(slots[at] & _LOW) - 1
            if _is_named(memory.flows[flow], s, vlan):
                return flow
        at = (at + _ONE) & mask
    return NOBODY


@compiled
def put(memory: Memory, flow: int, code: int) -> None:
    """Make a flow be found."""
    slots = memory.slots
    mask = np.uint64(len(slots) - 1)
    at = code & mask
    while slots[at] != _NONE:
        at = (at + _ONE) & mask
    slots[at] = (code >> _HALF) << _HALF | np.uint64(flow + 1)


@compiled
def is_full(memory: Memory) -> Any:
    """Say whether there is no room for another flow."""
    count = memory.count
    if 2 * (count[IN_USE] + 1) > len(memory.slots):
        return True
    return count[FREE_FLOW] == NOBODY and count[FLOWS] == len(memory.flows)


@compiled
def begin(memory: Memory, s: Any, vlan: int, code: int) -> Any:
    """Return a new flow for a segment."""
    count = memory.count
    flow = count[FREE_FLOW]
    if flow == NOBODY:
        flow = count[FLOWS]
        count[FLOWS] += 1
    else:
        count[FREE_FLOW] = memory.flows[flow].first_frame
    count[IN_USE] += 1
    f = memory.flows[flow]
    f.hash = code
    f.vlan = vlan
    f.six = s.six
    f.offers = 0
    f.run = NOBODY
    fresh(memory, flow, s)
    put(memory, flow, code)
    return flow


@compiled
def fresh(memory: Memory, flow: int, s: Any) -> None:
    """Let a segment be the first of a connection of its name."""
    f = memory.flows[flow]
    for half in range(2):
        f.address[0, half] = s.src[half]
        f.address[1, half] = s.dst[half]
    f.port[0] = s.sport
    f.port[1] = s.dport
    f.tag = s.vlan
    f.tags = s.tags
    f.odd = False
    f.reset = False
    f.closing = False
    f.letters = 0
    f.last_side = NOBODY
    f.shape = 0 if s.flags & SYN else _client(s.sport, s.dport)
    f.first_frame = s.frame
    f.last_frame = s.frame
    f.start = s.when
    f.last_when = s.when
    f.idle = 0
    for side in range(2):
        e = memory.ends[2 * flow + side]
        e.knows = 0
        e.head = NOBODY
        e.flying = 0
        e.samples = 0
        e.least = 0
        e.ident = -1
        e.stamped = 0
        e.waited = 0
        e.scale = -1
        e.mss = 0
        e.ack_when = 0
        e.text_when = 0
        e.stamp_when = 0
        e.often[0] = 0
        e.often[1] = 0
        e.resets = 0


@compiled
def _client(first: int, second: int) -> Any:
    # As verdict._client has it.
    if (first < _WELL_KNOWN) != (second < _WELL_KNOWN):
        return 1 if first < _WELL_KNOWN else 0
    if first != second and min(first, second) < _EPHEMERAL <= max(first, second):
        return 1 if first < second else 0
    return 0


@compiled
def land(memory: Memory, flow: int) -> None:
    """Forget what a flow has in flight."""
    count = memory.count
    for side in range(2):
        e = memory.ends[2 * flow + side]
        if e.head != NOBODY:
            memory.flight[e.tail].next = count[FREE_FLIGHT]
            count[FREE_FLIGHT] = e.head
            e.head = NOBODY
            e.flying = 0


@compiled
def make_odd(memory: Memory, flow: int) -> None:
    """Leave a name to the exact reader, from the first frame of the connection that it bears now."""
    f = memory.flows[flow]
    count = memory.count
    land(memory, flow)
    f.odd = True
    row = memory.odd[count[ODDS]]
    for side in range(2):
        row.address[side, 0] = f.address[side, 0]
        row.address[side, 1] = f.address[side, 1]
        row.port[side] = f.port[side]
    row.frame = f.first_frame
    row.vlan = f.vlan
    row.six = f.six
    count[ODDS] += 1


@compiled
def give_back(memory: Memory, flow: int) -> None:
    """Forget a flow; where it is found is made anew afterwards."""
    f = memory.flows[flow]
    count = memory.count
    land(memory, flow)
    if f.odd:
        remember(memory.past, f.hash)
        count[PASTS] += 1
    f.shape = FREE
    f.first_frame = count[FREE_FLOW]
    count[FREE_FLOW] = flow
    count[IN_USE] -= 1


@compiled
def remember(past: Any, code: int) -> None:
    """Put a hash where ``was_odd`` finds it."""
    mask = np.uint64(len(past) - 1)
    at = code & mask
    while past[at] != _NONE and past[at] != code:
        at = (at + _ONE) & mask
    past[at] = code


@compiled
def remember_all(old: Any, past: Any) -> None:
    """Put every hash of ``old`` where ``was_odd`` finds it in ``past``."""
    for code in old:
        if code != _NONE:
            remember(past, code)


@compiled
def was_odd(past: Any, code: int) -> Any:
    """Say whether a name, or by a rare chance another, was odd before it was given back."""
    mask = np.uint64(len(past) - 1)
    at = code & mask
    while past[at] != _NONE:
        if past[at] == code:
            return True
        at = (at + _ONE) & mask
    return False


@compiled
def find_anew(memory: Memory) -> None:
    """Fill an empty ``memory.slots``."""
    for flow in range(memory.count[FLOWS]):
        f = memory.flows[flow]
        if f.shape != FREE:
            put(memory, flow, f.hash)


@compiled
def name_of(s: Any, rules: Rules) -> Any:
    """Return the VLAN that is part of a segment's name."""
    return np.int64(s.vlan) if rules.vlans else 0
