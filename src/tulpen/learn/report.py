"""What was learnt, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tulpen.learn.machine import Difference, Machine
from tulpen.learn.rows import MEANING, Explained


def summary(machine: Machine, rows: list[Explained]) -> Iterator[str]:
    """Yield the size of a machine, its states, and how much of it is explained by what."""
    facts = machine.facts
    yield f"{machine.name}, alphabet {machine.alphabet} ({len(machine.letters)} inputs)"
    yield f"  {len(machine)} states, {len(machine) * len(machine.letters)} transitions"
    if facts:
        yield (
            f"  {facts['algorithm']} and {facts['equivalence']}: {facts['queries']:,} queries of "
            f"{facts['inputs']:,} inputs, {facts['tests']:,} tests, {facts['seconds']} s"
        )
    if all(machine.states):  # nobody can name those of a machine far away
        names = Counter(machine.states)
        yield "  " + ", ".join(f"{name} {count}" if count > 1 else name for name, count in names.items())
        kinds = Counter(each.kind for each in rows)
        yield "  " + ", ".join(f"{kinds[kind]} {kind}" for kind in MEANING.values())


def listing(machine: Machine, rows: list[Explained]) -> Iterator[str]:
    """Yield every transition with the row that explains it, under the word that leads to its state."""
    ways = machine.ways()
    source = -1
    for each in rows:
        step = each.step
        if step.source != source:
            source = step.source
            yield ""
            yield f"{source} {each.before}".rstrip() + f": {' '.join(ways[source]) or 'the beginning'}"
        yield f"  {step.letter:<10} {step.answer:<24} {step.target:>3} {each.after:<13} {reason(each)}".rstrip()


def reason(each: Explained) -> str:
    """Return the row of a transition: its name, layer and source."""
    if each.row is None:
        return each.kind if each.before else ""
    return f"{each.row.id} {each.kind}: {each.row.ref}"


def told(difference: Difference, one: str, other: str) -> Iterator[str]:
    """Yield the word on which two machines differ, and what each says to it."""
    yield f"{' '.join(difference.word)}"
    width = max(len(one), len(other))
    for name, heard in ((one, difference.one), (other, difference.other)):
        answer, state = heard[-1]
        yield f"  {name:<{width}}  {answer or 'nothing said'}  {state}".rstrip()


def as_json(machine: Machine, rows: list[Explained]) -> dict[str, Any]:
    """Return a machine with the reason of every transition."""
    whole = machine.as_json()
    whole["rows"] = {
        f"{each.step.source} {each.step.letter}": {"row": each.row.id if each.row else None, "kind": each.kind}
        for each in rows
    }
    return whole
