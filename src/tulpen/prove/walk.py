"""An exhaustive walk: two real engines, a network at its worst, every order of events within bounds.

Each scenario bounds what the users do and how much goes wrong, and is then explored to
its last state.  In all of them no transition is impossible and no octet is lost or
invented; from every state both ends can still reach CLOSED; and where nobody aborts,
they can do so without an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import process_time
from typing import Any, Final

from tulpen.prove.end import LET_GO, OPEN_ACTIVE, OPEN_PASSIVE, End, Program
from tulpen.prove.explorer import Counterexample, Graph, explore
from tulpen.prove.pair import Bounds, Pair, World
from tulpen.prove.properties import no_needless_reset, nothing_lost_or_invented, over, unharmed
from tulpen.tcp.config import Settings
from tulpen.tcp.state import TRANSITIONS, Transition

#: The first octets after the SYN lie on both sides of the wrap.  Not where an end may answer before it is
#: opened: the RST that §3.10.7.1 forms for a SYN has sequence number 0.
WRAPS: Final = 2**32 - 2
ISS_A: Final = 1_000
ISS_B: Final = 5_000


def plain(**changes: Any) -> Settings:
    """Return settings without what depends on a clock's reading, and with no rate limits."""
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
    )
    for name, value in changes.items():
        setattr(settings, name, value)
    return settings


@dataclass(frozen=True)
class Scenario:
    """What is walked through."""

    name: str
    a: Program
    b: Program
    bounds: Bounds
    settings: Mapping[str, Any] = field(default_factory=dict)
    peaceful: bool = True  # nothing in it justifies an error
    iss: int = WRAPS  # of A


@dataclass(frozen=True)
class Outcome:
    """What the walk through one scenario found."""

    scenario: Scenario
    states: int
    edges: int
    engine_runs: int
    seconds: float  # of processor time
    rows: frozenset[Transition]
    violation: Counterexample | None


_ACTIVE: Final = (OPEN_ACTIVE,)
_PASSIVE: Final = (OPEN_PASSIVE,)
_GIVES_UP: Final = {
    "tcp_syn_retries": 1, "tcp_synack_retries": 1, "tcp_retries2": 1, "tcp_orphan_retries": 1,
    "so_keepalive": True, "tcp_keepalive_probes": 1,
}  # fmt: skip

SCENARIOS: Final = (
    Scenario("an octet each way", Program(_ACTIVE, (1,)), Program(_PASSIVE, (1,)), Bounds(losses=1)),
    Scenario("no text, and everything goes wrong", Program(_ACTIVE), Program(_PASSIVE), Bounds(1, 1, 1)),
    Scenario("repeated segments", Program(_ACTIVE, (1,)), Program(_PASSIVE), Bounds(copies=2)),
    Scenario("a timeout too early", Program(_ACTIVE, (1,)), Program(_PASSIVE), Bounds(hurries=1)),
    Scenario(
        "more accurate feedback", Program(_ACTIVE, (1,)), Program(_PASSIVE, (1,)), Bounds(losses=1), {"tcp_ecn": 3}
    ),
    Scenario("both open", Program(_ACTIVE, (1,)), Program(_ACTIVE), Bounds(losses=1), iss=ISS_A),
    Scenario(
        "a listener opens", Program((OPEN_PASSIVE, OPEN_ACTIVE), (1,)), Program((OPEN_PASSIVE, OPEN_ACTIVE)),
        Bounds(losses=1), iss=ISS_A,
    ),
    Scenario("three segments", Program(_ACTIVE, (1, 1, 1)), Program(_PASSIVE, patient=True), Bounds(losses=2)),
    Scenario(
        "three segments with SACK", Program(_ACTIVE, (1, 1, 1)), Program(_PASSIVE, patient=True), Bounds(losses=2),
        {"tcp_sack": True},
    ),
    Scenario(
        "more losses, in order", Program(_ACTIVE, (1, 1)), Program(_PASSIVE, (1,)), Bounds(losses=2, ordered=True)
    ),
    Scenario(
        "a window of one octet", Program(_ACTIVE, (2,)), Program(_PASSIVE, reads=True), Bounds(losses=1),
        {"tcp_rmem": (1, 1, 1)},
    ),
    Scenario(
        "the client aborts", Program(_ACTIVE, (1,), aborts=True), Program(_PASSIVE), Bounds(losses=1),
        {"so_keepalive": True}, peaceful=False,
    ),
    Scenario(
        "the server aborts", Program(_ACTIVE, (1,)), Program(_PASSIVE, aborts=True), Bounds(losses=1),
        {"so_keepalive": True}, peaceful=False,
    ),
    Scenario(
        "both let go", Program(_ACTIVE, (1,), closes=LET_GO), Program(_PASSIVE, closes=LET_GO),
        Bounds(losses=1), {"so_keepalive": True}, peaceful=False,
    ),
    Scenario(
        "both give up", Program(_ACTIVE, (1,)), Program(_PASSIVE), Bounds(losses=3, ordered=True), _GIVES_UP,
        peaceful=False,
    ),
    Scenario(
        "both open and give up", Program(_ACTIVE, (1,)), Program(_ACTIVE), Bounds(losses=3, ordered=True), _GIVES_UP,
        peaceful=False,
    ),
)  # fmt: skip


def walk(scenarios: Iterable[Scenario] = SCENARIOS) -> Iterator[Outcome]:
    """Walk through each scenario in turn."""
    for scenario in scenarios:
        yield walk_through(scenario)


def walk_through(scenario: Scenario) -> Outcome:
    """Explore one scenario to its end, or to the first violation."""
    began = process_time()
    a = End("A", scenario.iss, scenario.a, plain(**scenario.settings))
    b = End("B", ISS_B, scenario.b, plain(**scenario.settings))
    pair = Pair(a, b, scenario.bounds)
    graph = explore(pair, (nothing_lost_or_invented(pair), no_needless_reset(pair)))
    violation = graph.violation or _stuck(scenario, pair, graph)
    moves = pair.a.moves | pair.b.moves
    return Outcome(
        scenario=scenario,
        states=len(graph.states),
        edges=graph.edges,
        engine_runs=pair.a.runs + pair.b.runs,
        seconds=process_time() - began,
        rows=frozenset(row for row in TRANSITIONS if (row.source, row.event) in moves),
        violation=violation,
    )


def _stuck(scenario: Scenario, pair: Pair, graph: Graph[World]) -> Counterexample | None:
    state = graph.cannot_reach(over(pair))
    if state is not None:
        return Counterexample(f"stuck: {pair.words(graph.states[state])} cannot both reach CLOSED", graph.path(state))
    if scenario.peaceful:
        state = graph.cannot_reach(over(pair), unharmed(pair))
        if state is not None:
            what = f"harmed: {pair.words(graph.states[state])} cannot both reach CLOSED without an error"
            return Counterexample(what, graph.path(state))
    return None


def rows_not_taken(outcomes: Iterable[Outcome]) -> tuple[Transition, ...]:
    """Return the rows of the table that no scenario took, those that are never taken left out."""
    taken = frozenset(row for outcome in outcomes for row in outcome.rows)
    return tuple(row for row in TRANSITIONS if row not in taken and not row.never)
