"""What a host knows of its sockets, as the rows of ``ss -tan``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from tulpen.tcp.state import LISTEN, SYN_RECEIVED, TIME_WAIT, State

if TYPE_CHECKING:
    from tulpen.host.core import Core


class Row(NamedTuple):
    """One socket.  In LISTEN the queues are those of accept(): how many wait, and the backlog."""

    state: State
    recv_q: int
    send_q: int
    local: bytes  # b"" for every address
    local_port: int
    remote: bytes  # b"" in LISTEN
    remote_port: int


def rows(core: Core) -> Iterator[Row]:
    """Yield listeners, half-open connections, connections, and TIME-WAIT."""
    for listener in core.listeners:
        yield Row(LISTEN, listener.recv_q, listener.send_q, listener.claim.address, listener.port, b"", 0)
    for name in core.requests:
        yield Row(SYN_RECEIVED, 0, 0, *name)
    for socket in core.connections.values():
        yield Row(socket.state, socket.readable, socket.unacknowledged, *socket.name)
    for record in core.time_wait:
        yield Row(TIME_WAIT, 0, 0, *record.name)
