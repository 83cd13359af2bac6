"""The scenarios: those that take seconds, run with the tests, and those that take minutes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from tulpen.prove.end import LET_GO, OPEN_ACTIVE, OPEN_PASSIVE, Program
from tulpen.prove.forge import BLIND, ON_PATH
from tulpen.prove.pair import Network
from tulpen.prove.scenario import ISS_A, ISS_B, NEXT_ISS, WRAPS, Scenario

_ACTIVE: Final = (OPEN_ACTIVE,)
_PASSIVE: Final = (OPEN_PASSIVE,)
_EITHER: Final = (OPEN_PASSIVE, OPEN_ACTIVE)
_KEEPALIVE: Final[dict[str, Any]] = {"so_keepalive": True}
_GIVES_UP: Final[dict[str, Any]] = {
    "tcp_syn_retries": 1, "tcp_synack_retries": 1, "tcp_retries1": 1, "tcp_retries2": 1, "tcp_orphan_retries": 1,
    "so_keepalive": True, "tcp_keepalive_probes": 1,
}  # fmt: skip

_AGAIN: Final[dict[str, Any]] = {"iss_a": (ISS_A, ISS_A + NEXT_ISS)}
_TWICE: Final[dict[str, Any]] = {**_AGAIN, "iss_b": (ISS_B, ISS_B + NEXT_ISS)}

QUICK: Final = (
    Scenario("no text", Program(_ACTIVE), Program(_PASSIVE)),
    Scenario("an octet", Program(_ACTIVE, (1,)), Program(_PASSIVE, patient=True)),
    Scenario("an octet back", Program(_ACTIVE, patient=True), Program(_PASSIVE, (1,), ready=True), iss_a=(WRAPS,)),
    Scenario("half closed", Program(_ACTIVE), Program(_PASSIVE, (1,), ready=True, patient=True)),
    Scenario("both open", Program(_ACTIVE), Program(_ACTIVE)),
    Scenario("a listener opens", Program(_EITHER), Program(_EITHER)),
    Scenario(
        "a window of one octet", Program(_ACTIVE, (2,)), Program(_PASSIVE, reads=True, ready=True, patient=True),
        settings={"tcp_rmem": (1, 1, 1)}, iss_a=(WRAPS,),
    ),
    Scenario(
        "text cut anew", Program(_ACTIVE, (2,)), Program(_PASSIVE, ready=True, patient=True), Network(cuts=True), mss=2,
        iss_a=(WRAPS,),
    ),
    Scenario(
        "the client aborts", Program(_ACTIVE, aborts=True), Program(_PASSIVE, ready=True), settings=_KEEPALIVE,
        peaceful=False,
    ),
    Scenario(
        "the server aborts", Program(_ACTIVE), Program(_PASSIVE, ready=True, aborts=True), settings=_KEEPALIVE,
        peaceful=False,
    ),
    Scenario(
        "both let go", Program(_ACTIVE, closes=LET_GO), Program(_PASSIVE, (1,), ready=True, closes=LET_GO),
        peaceful=False,
    ),
    Scenario(
        "a server that starts again", Program(_ACTIVE), Program(_PASSIVE, ready=True, patient=True, aborts=True),
        settings=_KEEPALIVE, peaceful=False, iss_b=(ISS_B, ISS_B + NEXT_ISS),
    ),
    Scenario(
        "close and close(2)", Program(_ACTIVE, lets_go=True),
        Program(_PASSIVE, ready=True, patient=True, aborts=True),
        peaceful=False,
    ),
    Scenario("both give up", Program(_ACTIVE), Program(_PASSIVE), settings=_GIVES_UP, peaceful=False),
    Scenario(
        "a blind attacker", Program(_ACTIVE, (1,)), Program(_PASSIVE, ready=True, patient=True), Network(forges=BLIND)
    ),
    Scenario(
        "an attacker on the path", Program(_ACTIVE), Program(_PASSIVE, ready=True, patient=True),
        Network(forges=BLIND + ON_PATH), settings=_GIVES_UP, peaceful=False,
    ),
    Scenario(
        "a client that starts again", Program(_ACTIVE, aborts=True), Program(_PASSIVE, ready=True, patient=True),
        settings=_KEEPALIVE, peaceful=False, **_AGAIN,
    ),
    Scenario("both open and give up", Program(_ACTIVE), Program(_ACTIVE), settings=_GIVES_UP, peaceful=False),
    Scenario("twice", Program(_ACTIVE), Program(_PASSIVE, ready=True, patient=True), **_TWICE),
    Scenario("twice, with text", Program(_ACTIVE, (1,)), Program(_PASSIVE, ready=True, patient=True), **_TWICE),
    Scenario(
        "twice, the server closes first", Program(_ACTIVE, patient=True), Program(_PASSIVE, (1,), ready=True),
        peaceful=False, **_TWICE,
    ),
    Scenario("two octets", Program(_ACTIVE, (1, 1)), Program(_PASSIVE, ready=True, patient=True)),
    Scenario(
        "an answer from behind a closed window", Program(_ACTIVE, (1,)),
        Program(_PASSIVE, (1,), reads=True, ready=True, patient=True), settings={"tcp_rmem": (1, 1, 1)},
    ),
    Scenario(
        "a reset at a closed window", Program(_ACTIVE, (1,), aborts=True),
        Program(_PASSIVE, reads=True, ready=True, patient=True), settings={**_KEEPALIVE, "tcp_rmem": (1, 1, 1)},
        peaceful=False,
    ),
    Scenario(
        "two forgeries", Program(_ACTIVE, (1,)), Program(_PASSIVE, ready=True, patient=True),
        Network(forges=BLIND, forgeries=2),
    ),
    Scenario(
        "an attacker on the path of text", Program(_ACTIVE, (1,)), Program(_PASSIVE, ready=True, patient=True),
        Network(forges=BLIND + ON_PATH), settings=_GIVES_UP, peaceful=False,
    ),
)  # fmt: skip

DEEP: Final = (
    Scenario("both open and send", Program(_ACTIVE, (1,)), Program(_ACTIVE)),
    Scenario("an octet each way", Program(_ACTIVE, (1,)), Program(_PASSIVE, (1,), ready=True)),
    Scenario("three octets", Program(_ACTIVE, (1, 1, 1)), Program(_PASSIVE, ready=True, patient=True)),
    Scenario(
        "two octets with SACK", Program(_ACTIVE, (1, 1)), Program(_PASSIVE, ready=True, patient=True),
        settings={"tcp_sack": True},
    ),
    Scenario(
        "two octets, given up", Program(_ACTIVE, (1, 1)), Program(_PASSIVE, ready=True, patient=True),
        settings=_GIVES_UP, peaceful=False,
    ),
    Scenario(
        "twice, either closes first", Program(_ACTIVE, (1,)), Program(_PASSIVE, ready=True), peaceful=False, **_TWICE
    ),
    Scenario(
        "three times, with text", Program(_ACTIVE, (1,)), Program(_PASSIVE, ready=True, patient=True),
        iss_a=tuple(ISS_A + life * NEXT_ISS for life in range(3)),
        iss_b=tuple(ISS_B + life * NEXT_ISS for life in range(3)),
    ),
    Scenario(
        "two forgeries into a window of one octet", Program(_ACTIVE, (2,)),
        Program(_PASSIVE, reads=True, ready=True, patient=True), Network(forges=BLIND, forgeries=2),
        settings={"tcp_rmem": (1, 1, 1)},
    ),
    Scenario(
        "an attacker on the path, twice", Program(_ACTIVE), Program(_PASSIVE, ready=True, patient=True),
        Network(forges=BLIND + ON_PATH), settings=_GIVES_UP, peaceful=False, **_TWICE,
    ),
)  # fmt: skip

#: What must be found: each breaks a rule that the others keep, and the checker has to see it.
KNOWN_TO_FAIL: Final = (
    Scenario(
        "numbers used again", Program(_ACTIVE), Program(_PASSIVE, (1,), ready=True, patient=True),
        iss_a=(ISS_A, ISS_A + 1), iss_b=(ISS_B, ISS_B + 1),
    ),
    Scenario(
        "an abort that is not heard of", Program(_ACTIVE, aborts=True), Program(_PASSIVE, ready=True, patient=True)
    ),
)  # fmt: skip


def everything() -> Iterator[Scenario]:
    """Yield every scenario, then the deep ones with other numbers and other settings."""
    yield from QUICK
    yield from DEEP
    for scenario in DEEP:
        yield replace(scenario.shifted(WRAPS), name=f"{scenario.name}, across the wrap")
        for setting, value in (("tcp_rfc1337", 1), ("tcp_frto", 2), ("tcp_sack", True)):
            if setting not in scenario.settings:
                changed = {**scenario.settings, setting: value}
                yield replace(scenario, name=f"{scenario.name}, {setting}={value:d}", settings=changed)


def named(name: str) -> Scenario:
    """Return the scenario of this name; KeyError if there is none."""
    for scenario in (*everything(), *KNOWN_TO_FAIL):
        if scenario.name == name:
            return scenario
    raise KeyError(name)
