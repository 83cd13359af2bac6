"""The compiled pass tells what the exact reader tells."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba", reason="numba is not installed")

from tests.capture.busy import busy
from tests.capture.files import Talk, orderly
from tests.capture.quick.both import compare, quickly, segments
from tests.capture.quick.talking import talking
from tulpen.capture.policy import Checksums, Policy
from tulpen.capture.quick import flows
from tulpen.wire.options import Options

POLICIES = [
    Policy(), Policy(checksums=Checksums.STRICT), Policy(checksums=Checksums.IGNORE), Policy(idle=90.0),
    Policy(vlans=True),
]  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(8))
def test_a_busy_capture(seed: int, policy: Policy) -> None:
    plain, _ = compare(segments(busy(seed, 60)), policy, cuts=range(0, 1000, 37 + seed))
    assert plain


@settings(max_examples=150, deadline=None)
@given(
    chance=st.randoms(use_true_random=False), policy=st.sampled_from(POLICIES), count=st.integers(2, 150),
    oddity=st.sampled_from([0.0, 0.01, 0.05, 0.2]), at_once=st.integers(1, 6), cut=st.integers(1, 60),
    room=st.sampled_from([8, 4096]),
)  # fmt: skip
def test_conversations_by_chance(
    chance: random.Random, policy: Policy, count: int, oddity: float, at_once: int, cut: int, room: int
) -> None:
    seen = talking(chance, count, oddity=oddity, at_once=at_once)
    with pytest.MonkeyPatch.context() as patch:  # records that are soon too few
        patch.setattr(flows, "FIRST", room)
        patch.setattr(flows, "ROWS", room)
        compare(seen, policy, cuts=range(0, count, cut))


def test_most_of_what_the_exact_reader_finds_nothing_in_is_plain() -> None:
    plain = clean = 0
    for seed in range(60):
        seen = talking(random.Random(seed), 200)
        quick, exact = quickly(seen)
        plain += len(quick)
        clean += len(quick) + sum(not rows.findings for rows in exact.values())
    assert clean > 300
    assert plain > 0.7 * clean  # the others share a name with one that is not


def stamps(now: int) -> Options:
    return Options(tsval=1000 + now, tsecr=1)


def talks() -> dict[str, Talk]:
    """Connections that are plain, by what is told of them."""
    syn = Options(mss=1460, wscale=7, sack_permitted=True, tsval=1000, tsecr=0)
    stamped = Talk().client("S", options=syn).server("S.", 0, 1, options=syn).client(".", 1, 1, options=stamps(1))
    stamped.client("P.", 1, 1, 100, options=stamps(5)).server(".", 1, 101, options=stamps(9))
    bulk = Talk().opened()
    for at in range(1, 40_001, 1000):
        bulk.server(".", at, 1, 1000, after=0.1)
    bulk.client(".", 1, 20_001).client(".", 1, 40_001).server("F.", 40_001, 1).client("F.", 1, 40_002)
    late = Talk().opened().client("F.", 1, 1).server(".", 1, 2).server("P.", 1, 2, 300).client(".", 2, 301)
    return {
        "orderly": orderly(),
        "IPv6": _goodbye(Talk(six=True).opened(), 1, 1),
        "wraps around": _goodbye(Talk(isn=(0xFFFF_FFFF, 0xFFFF_FF00)).opened().client("P.", 1, 1, 500), 501, 1),
        "stamped": stamped,
        "bulk": bulk.server(".", 40_002, 2),
        "half closed": late,
        "open": Talk().opened().client("P.", 1, 1, 10).server("P.", 1, 11, 10),
        "midstream": _goodbye(Talk().client("P.", 50, 50, 100).server(".", 50, 150), 150, 50),
        "unanswered": Talk().client("S"),
        "refused": Talk().client("S").server("R.", 0, 1),
        "reset": Talk().opened().client("P.", 1, 1, 100).server("R.", 1, 101),
        "unread": Talk().opened().client("P.", 1, 1, 100).server(".", 1, 101).server("R.", 1, 101),
        "abandoned": Talk().client("S").server("S.", 0, 1).client("R", 1),
        "data after close": Talk().opened().client("F.", 1, 1).server("P.", 1, 2, 10).client("R", 2),
        "two RSTs": Talk().opened().client("P.", 1, 1, 100).server("R.", 1, 101).server("R.", 1, 101),
        "a RST alone": Talk().client("R", 5),
        "forgotten": Talk().opened().client("P.", 1, 1, 9, after=40_000.0).server("R", 1, 0),
        "SYN,ACK first": _goodbye(Talk().server("S.", 0, 1).client(".", 1, 1), 1, 1),
        "half seen": Talk().client("S").client(".", 1, 1).client("P.", 1, 1, 70),
        "closed together": Talk().opened().client("F.", 1, 1).server("F.", 1, 1).client(".", 2, 2).server(".", 2, 2),
    }


def _goodbye(talk: Talk, at: int, there: int) -> Talk:
    talk.client("F.", at, there).server("F.", there, at + 1)
    return talk.client(".", at + 1, there + 1)


@pytest.mark.parametrize("name", talks())
def test_what_is_plain(name: str) -> None:
    assert compare(segments(talks()[name].packets)) == (1, 1)
