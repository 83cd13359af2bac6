"""What is explored: who may do what, which ways the network is bad, and what must hold."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from time import process_time
from typing import Any, Final

from tulpen.prove.end import End, Program
from tulpen.prove.explorer import Counterexample, Graph, Progress, TooLarge, explore, nearest
from tulpen.prove.forge import BLIND
from tulpen.prove.key import FOR_EVER
from tulpen.prove.pair import Network, Pair, World
from tulpen.prove.properties import (
    Property,
    agreement,
    no_needless_reset,
    nothing_lost_or_invented,
    over,
    somebody_waits,
    unbroken,
    unharmed,
    within_the_window,
)
from tulpen.tcp.config import Settings
from tulpen.tcp.state import TRANSITIONS, Transition
from tulpen.wire.seq import wrap

#: The first octets after the SYN lie on both sides of the wrap.  Not where an end may answer before it is
#: opened: the RST that §3.10.7.1 forms for a SYN has sequence number 0.
WRAPS: Final = 2**32 - 2
ISS_A: Final = 1_000
ISS_B: Final = 500_000
NEXT_ISS: Final = 250_000  # from one connection's initial sequence number to the next one's (RFC 9293 §3.4.1)


def plain(**changes: Any) -> Settings:
    """Return settings without what depends on a clock's reading, without rate limits, and with no end of patience."""
    settings = Settings(
        tcp_timestamps=0,
        tcp_window_scaling=False,
        tcp_sack=False,
        tcp_invalid_ratelimit=0,
        tcp_min_snd_mss=1,
        tcp_congestion_control="reno",
        tcp_quick_acks=0,
        tcp_rcvbuf_overhead=False,
        tcp_take_whole=False,
        tcp_recovery=0,
        tcp_early_retrans=0,
        tcp_frto=0,
        tcp_slow_start_after_idle=False,
        tcp_syn_retries=FOR_EVER,
        tcp_synack_retries=FOR_EVER,
        tcp_retries1=FOR_EVER,
        tcp_retries2=FOR_EVER,
        tcp_orphan_retries=FOR_EVER,
    )
    for name, value in changes.items():
        setattr(settings, name, value)
    return settings


@dataclass(frozen=True)
class Scenario:
    """What is explored."""

    name: str
    a: Program
    b: Program
    network: Network = field(default_factory=Network)
    settings: Mapping[str, Any] = field(default_factory=dict)
    peaceful: bool = True  # nothing in it justifies an error
    iss_a: tuple[int, ...] = (ISS_A,)  # one for each connection in turn
    iss_b: tuple[int, ...] = (ISS_B,)
    mss: int = 1
    limit: int = 5_000_000  # states

    def pair(self) -> Pair:
        """Return the model."""
        a = End("A", self.iss_a, self.a, plain(**self.settings), mss=self.mss)
        b = End("B", self.iss_b, self.b, plain(**self.settings), mss=self.mss)
        return Pair(a, b, self.network)

    def shifted(self, first: int) -> Scenario:
        """Return the same with A's numbers from ``first`` on: every number of it moves alike."""
        shift = first - self.iss_a[0]
        return replace(self, iss_a=tuple(wrap(iss + shift) for iss in self.iss_a))


@dataclass(frozen=True)
class Outcome:
    """What the exploration of one scenario found."""

    name: str
    states: int  # looked at: none that another covers
    places: int  # different, what is under way apart
    nodes: tuple[int, int]  # of each end
    segments: int  # different ones ever sent
    edges: int
    engine_runs: int
    seconds: float  # of processor time
    megabytes: float = field(compare=False)  # the most that the process which explored it has had
    rows: frozenset[Transition]  # of the table, taken
    violation: Counterexample | None
    fingerprint: str = ""
    too_large: bool = False

    @property
    def clean(self) -> bool:
        """Whether all of it was explored, and nothing is wrong."""
        return self.violation is None and not self.too_large


def memory() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def invariants(scenario: Scenario, pair: Pair) -> tuple[Property, ...]:
    """Return what must hold in every state."""
    forges = scenario.network.forges
    always = (nothing_lost_or_invented(pair), agreement(pair), somebody_waits(pair), within_the_window(pair))
    if not forges:
        return (*always, no_needless_reset(pair)) if len(scenario.iss_a) == len(scenario.iss_b) == 1 else always
    if set(forges) <= set(BLIND) and scenario.peaceful:
        return (*always, unbroken(pair))
    return ()


def check(scenario: Scenario, *, drawn: bool = False, progress: Progress | None = None) -> Outcome:
    """Explore one scenario to its end, or to the first violation."""
    began = process_time()
    pair = scenario.pair()
    violation, graph = None, None
    rules = invariants(scenario, pair)
    try:
        graph = explore(pair, rules, limit=scenario.limit, progress=progress, drawn=drawn)
        found = graph.violation
        violation = _stuck(scenario, pair, graph) if found is None else _nearest(scenario, pair, rules) or found
    except TooLarge:
        pass
    moves = pair.a.moves | pair.b.moves
    return Outcome(
        name=scenario.name,
        states=graph.looked_at if graph is not None else scenario.limit,
        places=graph.places if graph is not None else 0,
        nodes=(len(pair.a), len(pair.b)),
        segments=len(pair.segments.all),
        edges=graph.edges if graph is not None else 0,
        engine_runs=pair.a.runs + pair.b.runs,
        seconds=process_time() - began,
        megabytes=memory(),
        rows=frozenset(row for row in TRANSITIONS if (row.source, row.event) in moves),
        violation=violation,
        fingerprint=graph.fingerprint if graph is not None else "",
        too_large=graph is None,
    )


def shortest(scenario: Scenario) -> Counterexample | None:
    """Return the shortest way to a violation in any one state; None where none is found within the limit."""
    pair = scenario.pair()
    return _nearest(scenario, pair, invariants(scenario, pair))


def _nearest(scenario: Scenario, pair: Pair, rules: Iterable[Property]) -> Counterexample | None:
    try:
        return nearest(pair, rules, limit=scenario.limit)
    except TooLarge:
        return None


def _stuck(scenario: Scenario, pair: Pair, graph: Graph[World]) -> Counterexample | None:
    state = graph.cannot_reach(over(pair))
    if state is not None:
        return _way_to(
            scenario, pair, graph, state, "stuck: {} cannot both reach CLOSED once what is under way is lost"
        )
    if scenario.peaceful and not scenario.network.forges:
        state = graph.cannot_reach(over(pair), unharmed(pair))
        if state is not None:
            return _way_to(scenario, pair, graph, state, "harmed: {} cannot both reach CLOSED without an error")
    return None


def _way_to(scenario: Scenario, pair: Pair, graph: Graph[World], state: int, what: str) -> Counterexample | None:
    """Return the shortest way to where this state's ends are."""
    ends = graph.states[state][:2]
    what = what.format(pair.words(graph.states[state]))

    def there(world: World) -> str | None:
        return what if world[:2] == ends else None

    return _nearest(scenario, pair, (there,)) or Counterexample(what, graph.path(state))


def rows_not_taken(outcomes: Iterable[Outcome]) -> tuple[Transition, ...]:
    """Return the rows of the table that no scenario took, those that are never taken left out."""
    taken = frozenset(row for outcome in outcomes for row in outcome.rows)
    return tuple(row for row in TRANSITIONS if row not in taken and not row.never)
