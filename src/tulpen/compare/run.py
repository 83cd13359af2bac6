"""Words without end, to two subjects: what was covered, what is known, what is new."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tulpen.compare.known import Known, explain
from tulpen.compare.shrink import recurs, shrink
from tulpen.compare.sides import Difference, Sides
from tulpen.compare.words import Words

_TIMES: Final = 3  # a new difference must show so often again
_OFTEN: Final = 256  # words between two reports


@dataclass
class Findings:
    """What came of it."""

    words: int = 0
    letters: int = 0
    pairs: int = 0  # of transitions that both took
    states: set[str] = field(default_factory=set)
    seconds: float = 0.0
    known: Counter[str] = field(default_factory=Counter)  # words, by the id of their row
    new: list[Difference] = field(default_factory=list)  # shrunk, one of each kind
    doubtful: list[Difference] = field(default_factory=list)  # that did not show again


@dataclass(frozen=True)
class Limits:
    """When to stop."""

    words: int = 0  # 0: no limit
    seconds: float = 0.0
    length: int = 12  # of a word


def compare(
    sides: Sides, rows: Sequence[Known], limits: Limits, seed: int, tell: Callable[[Findings], None] = lambda _: None
) -> Findings:
    """Try words until a limit is reached."""
    words = Words(seed, limits.length)
    findings = Findings()
    kinds: set[object] = set()
    began = time.monotonic()
    while not _over(findings, limits):
        word = words.next()
        run = sides.run(word)
        findings.words += 1
        findings.letters += len(run.edges) + (run.difference is not None)
        if words.learn(word, run.edges):
            findings.states.update(edge.after for edge in run.edges)
            findings.pairs = len(words.pairs)
        if run.difference is not None:
            _judge(sides, run.difference, rows, findings, kinds)
        findings.seconds = time.monotonic() - began
        if findings.words % _OFTEN == 0:
            tell(findings)
    return findings


def _over(findings: Findings, limits: Limits) -> bool:
    return bool(limits.words and findings.words >= limits.words) or bool(
        limits.seconds and findings.seconds >= limits.seconds
    )


def _judge(sides: Sides, found: Difference, rows: Sequence[Known], findings: Findings, kinds: set[object]) -> None:
    row = explain(found, rows)
    if row is not None:
        findings.known[row.id] += 1
    elif found.kind in kinds:
        return
    elif recurs(sides, found, _TIMES):
        kinds.add(found.kind)
        findings.new.append(shrink(sides, found))
    else:
        findings.doubtful.append(found)
