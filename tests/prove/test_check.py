"""Every interleaving: the quick scenarios to their last state, what must fail, and mistakes put in on purpose."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tulpen.cli.main import run as command
from tulpen.errors import TulpenError
from tulpen.prove.catalogue import DEEP, KNOWN_TO_FAIL, QUICK, everything, named
from tulpen.prove.explorer import Counterexample, TooLarge, explore
from tulpen.prove.key import unknown_attributes
from tulpen.prove.mutant_list import MUTANTS, Mutant
from tulpen.prove.mutants import judge
from tulpen.prove.run import run
from tulpen.prove.scenario import Outcome, Scenario, check, invariants, rows_not_taken
from tulpen.prove.segments import ROOM, Segments
from tulpen.prove.story import Astray, as_test, ladder, replay
from tulpen.show.ladder import Arrow, Fate
from tulpen.tcp.state import CLOSED, ESTABLISHED, TIME_WAIT
from tulpen.wire.segment import ACK, Segment

OUTCOMES: dict[str, Outcome] = {}


def outcome(scenario: Scenario) -> Outcome:
    if scenario.name not in OUTCOMES:
        OUTCOMES[scenario.name] = check(scenario)
    return OUTCOMES[scenario.name]


@pytest.mark.parametrize("scenario", QUICK, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_no_scenario_violates_anything(scenario: Scenario) -> None:
    found = outcome(scenario)
    assert found.violation is None, str(found.violation)
    assert found.clean
    assert found.states > 800
    assert found.megabytes > 10


def test_every_row_of_the_table_is_taken() -> None:
    assert rows_not_taken(map(outcome, QUICK)) == ()


def test_the_key_knows_every_attribute_of_a_tcb() -> None:
    assert unknown_attributes() == frozenset()


@pytest.mark.parametrize("name", ["an octet", "both give up", "a window of one octet", "twice"])
def test_connections_that_count_as_alike_answer_alike(name: str) -> None:
    pair = named(name).pair()
    explore(pair)
    assert list(pair.a.unlike()) == list(pair.b.unlike()) == []


def test_a_second_incarnation_is_explored_to_its_end() -> None:
    """Both ends' second connections open, take their own text, none of the first's, and close in order."""
    scenario = named("twice, with text")
    pair = scenario.pair()
    ends = [pair.facts(world) for world in explore(pair, invariants(scenario, pair)).states]
    seconds = [(a, b) for a, b in ends if a.life == b.life == 1]
    assert any(a.state is b.state is ESTABLISHED for a, b in seconds)
    assert any(a.state is CLOSED and b.state is CLOSED and b.read == 1 and b.eof for a, b in seconds)


def test_the_graph_is_the_same_where_sequence_numbers_wrap() -> None:
    low, high = (check(QUICK[1].shifted(first), drawn=True) for first in (100, 2**32 - 3))
    assert low.fingerprint == high.fingerprint
    assert low.fingerprint != check(QUICK[2].shifted(100), drawn=True).fingerprint


def test_an_old_fin_ends_a_connection_whose_numbers_are_used_again() -> None:
    scenario = named("numbers used again")
    found = outcome(scenario)
    assert found.violation is not None
    assert found.violation.what == "A was told of the end after 0 octets of 1 written"
    assert replay(scenario, found.violation.path) == found.violation.what
    assert replay(scenario, found.violation.path[:-1]) is None
    drawn = ladder(scenario, found.violation)
    assert len(drawn.rungs) == len(found.violation.path)
    assert TIME_WAIT in [step.left[1].state for step in drawn.steps()]


def test_an_abort_that_is_lost_leaves_the_other_waiting() -> None:
    found = check(named("an abort that is not heard of"))
    assert found.violation is not None
    assert found.violation.what.startswith("stuck: A in CLOSED, B in ")


def test_a_path_that_cannot_be_walked_is_said_to_be_none() -> None:
    with pytest.raises(Astray, match="it cannot happen that B: CLOSE"):
        replay(QUICK[0], ("A: OPEN active", "B: CLOSE"))


def test_a_violation_is_written_as_a_test_that_fails() -> None:
    found = outcome(named("numbers used again")).violation
    assert found is not None
    source = as_test(named("numbers used again"), found)
    scope: dict[str, object] = {}
    exec(compile(source, "written", "exec"), scope)
    written = scope["test_numbers_used_again"]
    assert callable(written)
    with pytest.raises(AssertionError):
        written()


def test_a_forged_segment_is_drawn_as_one() -> None:
    scenario = named("a blind attacker")
    pair = scenario.pair()
    (start,) = pair.starts()
    opened = next(target for label, target, _ in pair.steps(start) if label == "A: OPEN active")
    forged = next(label for label, _, _ in pair.steps(opened) if label.endswith("(forged)"))
    rung = ladder(scenario, Counterexample("", ("A: OPEN active", forged))).rungs[-1]
    assert isinstance(rung, Arrow)
    assert rung.fate is Fate.INJECTED


def test_what_is_known_is_not_explored_again(tmp_path: Path) -> None:
    kept = tmp_path / "known.jsonl"
    first = list(run(QUICK[:1], kept=kept))
    before = kept.read_text()
    again = list(run(QUICK[:1], kept=kept))
    assert again == first
    assert kept.read_text() == before


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    kept = tmp_path / "known.jsonl"
    kept.write_text("no outcome\n")
    with pytest.raises(TulpenError, match="line 1"):
        list(run(QUICK[:1], kept=kept))


def test_any_executor_will_do() -> None:
    with ProcessPoolExecutor(2) as executor:
        found = list(run(QUICK[:2], executor=executor))
    assert {each.name: each.states for each in found} == {each.name: outcome(each).states for each in QUICK[:2]}


def test_dasks_executor_will_do_and_goes_on_where_it_was(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs distributed (Dask)")
    kept = tmp_path / "known.jsonl"
    first = list(run(QUICK[:1], kept=kept))
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = list(run(QUICK[:2], executor=client.get_executor(), kept=kept))
    assert found[0] == first[0]
    assert [each.states for each in found] == [outcome(each).states for each in QUICK[:2]]
    assert len(kept.read_text().splitlines()) == 2


def test_names_are_of_one_scenario_each() -> None:
    names = [scenario.name for scenario in (*everything(), *KNOWN_TO_FAIL)]
    assert len(set(names)) == len(names)
    assert {scenario.name for scenario in DEEP} <= set(names)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_every_mutant_changes_the_engine_as_it_stands(mutant: Mutant) -> None:
    compile(mutant.source(), mutant.name, "exec")


def test_mutants_die() -> None:
    chosen = [
        mutant for mutant in MUTANTS if mutant.name in ("their FIN closes us too", "a FIN again does not restart 2 MSL")
    ]
    assert [verdict.dead for verdict in judge(chosen, 2, ("no text",))] == [True, True]


@pytest.mark.parametrize("name", ["TIME-WAIT is over at once", "any SYN reopens TIME-WAIT"])
def test_a_second_incarnation_needs_the_first_ones_time_wait(name: str) -> None:
    (mutant,) = (mutant for mutant in MUTANTS if mutant.name == name)
    (verdict,) = judge([mutant], 1, ("twice, the server closes first",))
    assert verdict.dead
    assert verdict.length > 10


def test_the_command_says_what_it_explored(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", "no text", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["scenarios"]
    assert row["name"] == "no text"
    assert row["violation"] is None


def test_the_command_draws_what_it_finds_and_ends_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    written = tmp_path / "found.py"
    assert command(["check", "an abort that is not heard of", "--write-test", str(written)]) == 1
    out = capsys.readouterr().out
    assert "stuck: A in CLOSED" in out
    assert "OPEN active" in out
    assert "def test_an_abort_that_is_not_heard_of" in written.read_text()


def test_a_scenario_that_is_not_there_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", "nothing of the kind"]) == 2
    assert "there is no scenario" in capsys.readouterr().err


def test_the_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", "--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len(QUICK) + len(DEEP) + len(KNOWN_TO_FAIL)


def test_the_command_compares_across_the_wrap(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", "an octet back", "--wrap", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"an octet back": True}


def test_the_command_judges_a_mutant(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", "--mutants", "FIN-WAIT-2 does not linger", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["dead"]
    assert row["steps"] > 5


def test_a_mutant_that_is_not_there_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", "--mutants", "nobody"]) == 2
    assert "there is no mutant" in capsys.readouterr().err


def test_there_are_no_more_segments_than_a_set_has_bits() -> None:
    segments = Segments()
    for number in range(ROOM):
        segments.number(Segment(number, 0, ACK), "A")
    with pytest.raises(TooLarge, match="256 different segments"):
        segments.number(Segment(ROOM, 0, ACK), "A")
