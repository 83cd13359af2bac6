"""Counts: how many sockets by state, peer, port, process, user or network namespace, and in which states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from tulpen.kernel.table import state
from tulpen.kernel.texts import UNKNOWN, address_text, user_name
from tulpen.kernel.view import View
from tulpen.tcp.state import State

NOBODY: Final = "-"  # no process holds it: TIME-WAIT, the SYN queue, an orphan


class Count(NamedTuple):
    """One line of the counts."""

    what: str
    total: int
    states: dict[State, int]

    def as_json(self) -> dict[str, Any]:
        """Return the line for JSON, the states by their names."""
        return {"what": self.what, "total": self.total, "states": {each.title: n for each, n in self.states.items()}}


def tally(views: Sequence[View], by: str) -> list[Count]:
    """Count the selected sockets by one of ``WAYS``, the largest number first."""
    found: dict[str, dict[State, int]] = {}
    for view in views:
        keys, name = WAYS[by](view)
        for (key, number), times in _pairs(view, keys).items():
            states = found.setdefault(name(key), {})
            states[state(number)] = states.get(state(number), 0) + times
    counts = [Count(what, sum(states.values()), dict(sorted(states.items()))) for what, states in found.items()]
    return sorted(counts, key=lambda count: (-count.total, count.what))


def tally_lines(counts: Sequence[Count], by: str, *, header: bool, limit: int | None = None) -> list[str]:
    """Return the counts as text: how many, of what, in which states."""
    shown = counts[:limit]
    width = max([len(by), *(len(count.what) for count in shown)])
    states = by != "state"
    lines = [f"{'COUNT':>9}  {by.upper():<{width}}{'  STATES' if states else ''}".rstrip()] if header else []
    for count in shown:
        split = " ".join(f"{each.title}:{times}" for each, times in count.states.items()) if states else ""
        lines.append(f"{count.total:>9}  {count.what:<{width}}  {split}".rstrip())
    return lines


def _pairs(view: View, keys: Iterable[Any]) -> Counter[tuple[Any, int]]:
    states = view.states
    if keys is states:  # octets are counted fastest of all
        states = states if len(view.rows) == len(states) else bytes(states[row] for row in view.rows)
        return Counter({(number, number): states.count(number) for number in set(states)})
    if len(view.rows) == len(view.table):
        return Counter(zip(keys, states, strict=True))
    keys = list(keys)
    return Counter((keys[row], states[row]) for row in view.rows)


def _states(view: View) -> tuple[Iterable[int], Callable[[int], str]]:
    return view.states, lambda number: state(number).title


def _peers(view: View) -> tuple[Iterable[bytes], Callable[[bytes], str]]:
    return view.remote_addresses, address_text


def _ports(view: View) -> tuple[Iterable[tuple[bool, int]], Callable[[tuple[bool, int]], str]]:
    """Take the port of the service: at this end where somebody listens there, otherwise at the other."""
    served = {each.name.local_port for each in view.listeners}
    pairs = zip(view.local_ports, view.remote_ports, strict=True)
    keys = [
        (local in served or not remote, local if local in served or not remote else remote) for local, remote in pairs
    ]
    return keys, lambda key: f":{key[1]} {'here' if key[0] else 'there'}"


def _processes(view: View) -> tuple[Iterable[int | None], Callable[[int | None], str]]:
    if view.processes is None:
        return [None] * len(view.table), lambda _: UNKNOWN
    known = view.processes.by_pid()
    pids = view.processes.pids()
    pids[0] = 0
    keys = map(pids.get, view.inodes)

    def name(pid: int | None) -> str:
        if pid is None:
            return UNKNOWN
        return f"{known[pid].command}({pid})" if pid else NOBODY

    return keys, name


def _users(view: View) -> tuple[Iterable[int], Callable[[int], str]]:
    return view.uids, user_name


def _namespaces(view: View) -> tuple[Iterable[str], Callable[[str], str]]:
    return [view.place] * len(view.table), str


WAYS: Final[dict[str, Callable[[View], tuple[Iterable[Any], Callable[[Any], str]]]]] = {
    "state": _states,
    "peer": _peers,
    "port": _ports,
    "process": _processes,
    "user": _users,
    "netns": _namespaces,
}
