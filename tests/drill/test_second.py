from __future__ import annotations

from tulpen.drill.report import as_json
from tulpen.drill.second import differences, lines_of
from tulpen.drill.verdict import Outcome, Verdict

OURS = [Verdict("a", Outcome.PASS), Verdict("b", Outcome.FAIL, "one", 3), Verdict("c", Outcome.FAIL, "two", 4)]
THEIRS = [Verdict("c", Outcome.FAIL, "other words", 4), Verdict("b", Outcome.SKIP, "needs more\nthan that")]


def test_scripts_whose_outcomes_differ_are_listed() -> None:
    assert [each.path for each in differences(OURS, THEIRS)] == ["b"]
    assert [str(line) for line in lines_of(differences(OURS, THEIRS))] == [
        "differs b",
        "        ours:   fail line 3: one",
        "        theirs: skip needs more",
        "disagreements: 1",
    ]


def test_they_are_in_the_json_where_they_were_asked_for() -> None:
    assert '"disagreements": []' in as_json(OURS, 1.0, [])
    assert "disagreements" not in as_json(OURS, 1.0)
