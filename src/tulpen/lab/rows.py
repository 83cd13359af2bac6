"""A machine's sockets as ss(8) writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tulpen.tcp.state import State
from tulpen.wire.address import text

if TYPE_CHECKING:
    from tulpen.host.status import Row
    from tulpen.lab.machine import Machine

MOST = 8  # rows that are shown
_SS = {State.ESTABLISHED: "ESTAB", State.SYN_RECEIVED: "SYN-RECV", State.CLOSED: "UNCONN"}


def ss(machine: Machine, states: Sequence[State] = ()) -> tuple[str, str]:
    """Return the command, and what it says on ``machine`` now: the header and the first rows."""
    wanted = " ".join(f"state {_filter(state)}" for state in states)
    command = f"ss -tan {wanted}".strip()
    rows = [row for row in machine.rows() if not states or row.state in states]
    lines = [f"{'State':<11} {'Recv-Q':>6} {'Send-Q':>6} {'Local Address:Port':>21} {'Peer Address:Port':>21}"]
    lines += map(_line, rows[:MOST])
    if len(rows) > MOST:
        lines.append(f"... {len(rows):,} in all")
    return command, "\n".join(lines)


def count(machine: Machine, state: State) -> int:
    """Return how many sockets of a machine are in a state."""
    return sum(row.state is state for row in machine.rows())


def titles(states: Sequence[State]) -> str:
    """Return states as people read them."""
    return ", ".join(state.title for state in states)


def _filter(state: State) -> str:
    return {State.SYN_RECEIVED: "syn-recv", State.LISTEN: "listening"}.get(state, state.title.lower())


def _line(row: Row) -> str:
    local, remote = _socket(row.local, row.local_port), _socket(row.remote, row.remote_port)
    name = _SS.get(row.state, row.state.title)
    return f"{name:<11} {row.recv_q:>6} {row.send_q:>6} {local:>21} {remote:>21}"


def _socket(address: bytes, port: int) -> str:
    return f"{text(address) if any(address) else '0.0.0.0'}:{port or '*'}"
