"""Many scenarios over many processors, with what is already known kept in a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import Any

import tulpen
from tulpen.errors import TulpenError
from tulpen.prove.explorer import Counterexample
from tulpen.prove.scenario import Outcome, Scenario, check, memory
from tulpen.tcp.state import TRANSITIONS

Word = Callable[[str, int, int, float], None]  # scenario, states looked at, states that wait, MB in use


def run(
    scenarios: Iterable[Scenario],
    *,
    executor: Executor | None = None,
    kept: Path | None = None,
    word: Word | None = None,
) -> Iterator[Outcome]:
    """Yield the outcome of each scenario as it is known: in this process, or on any ``concurrent.futures`` executor.

    What ``kept`` holds for the same scenario and the same engine is not explored again;
    each new outcome is written there at once, so an interrupted run goes on where it
    was.  ``word`` is told of progress, where this process explores.
    """
    known = _read(kept) if kept is not None else {}
    left = []
    for scenario in scenarios:
        found = known.get(_name(scenario))
        if found is not None:
            yield found
        else:
            left.append(scenario)
    if executor is None:
        for scenario in left:
            yield _keep(kept, scenario, check(scenario, progress=_told(scenario, word)))
        return
    waiting = {executor.submit(check, scenario): scenario for scenario in left}
    try:
        for future in as_completed(waiting):
            yield _keep(kept, waiting[future], future.result())
    finally:
        for future in waiting:
            future.cancel()


def engine_digest() -> str:
    """Return a digest of the engine's and the checker's sources: what is known of one is not known of another."""
    drawing = hashlib.blake2b(digest_size=8)
    root = Path(tulpen.__file__).parent
    for room in ("wire", "tcp", "prove"):
        for source in sorted((root / room).glob("*.py")):
            drawing.update(source.read_bytes())
    return drawing.hexdigest()


def _told(scenario: Scenario, word: Word | None) -> Callable[[int, int], None] | None:
    if word is None:
        return None
    return lambda looked_at, waiting: word(scenario.name, looked_at, waiting, memory())


def _name(scenario: Scenario) -> str:
    return f"{engine_digest()} {scenario!r}"


def _read(kept: Path) -> dict[str, Outcome]:
    if not kept.exists():
        return {}
    known = {}
    for number, line in enumerate(kept.read_text().splitlines(), 1):
        try:
            row = json.loads(line)
            name = row.pop("of")
            known[name] = _outcome(row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            remedy = "Give --keep a file that this command wrote, or a new name."
            raise TulpenError(f"{kept}, line {number}: no outcome of a check ({error})", remedy) from None
    return known


def _keep(kept: Path | None, scenario: Scenario, outcome: Outcome) -> Outcome:
    if kept is not None:
        with kept.open("a") as file:
            file.write(json.dumps({"of": _name(scenario), **as_dict(outcome)}) + "\n")
    return outcome


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON has it."""
    row = {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}
    row["rows"] = sorted(TRANSITIONS.index(taken) for taken in outcome.rows)
    if outcome.violation is not None:
        row["violation"] = {"what": outcome.violation.what, "path": list(outcome.violation.path)}
    return row


def _outcome(row: dict[str, Any]) -> Outcome:
    row["rows"] = frozenset(TRANSITIONS[number] for number in row["rows"])
    row["nodes"] = tuple(row["nodes"])
    if row["violation"] is not None:
        row["violation"] = Counterexample(row["violation"]["what"], tuple(row["violation"]["path"]))
    return Outcome(**row)
