"""The text that is under way: a pool of what all ends together have sent and nobody has acknowledged."""

from __future__ import annotations

from typing import Any

from tulpen.capture.quick.compiled import compiled
from tulpen.capture.quick.names import NOBODY
from tulpen.capture.quick.state import FLYING, FREE_FLIGHT, Memory


@compiled
def no_flight(memory: Memory) -> Any:
    """Say whether there is no room for more text under way."""
    return memory.count[FREE_FLIGHT] == NOBODY and memory.count[FLYING] == len(memory.flight)


@compiled
def departs(memory: Memory, a: Any, when: int, size: int) -> None:
    """Put ``size`` of sequence space that ends at ``a.nxt`` behind what this end has under way."""
    at = _new(memory)
    sent = memory.flight[at]
    sent.when = when
    sent.end = a.nxt
    sent.size = size
    sent.next = NOBODY
    if a.head == NOBODY:
        a.head = at
    else:
        memory.flight[a.tail].next = at
    a.tail = at
    a.flying += 1


@compiled
def _new(memory: Memory) -> Any:
    count = memory.count
    at = count[FREE_FLIGHT]
    if at == NOBODY:
        at = count[FLYING]
        count[FLYING] += 1
    else:
        count[FREE_FLIGHT] = memory.flight[at].next
    return at
