"""A second judge's verdicts beside ours: what they do not agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from tulpen.drill.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Difference(NamedTuple):
    """One script on which two judges do not agree."""

    path: str
    ours: Verdict
    theirs: Verdict


def differences(ours: Iterable[Verdict], theirs: Iterable[Verdict]) -> list[Difference]:
    """Return the scripts whose outcomes differ."""
    by_path = {verdict.path: verdict for verdict in ours}
    pairs = ((by_path.get(verdict.path), verdict) for verdict in theirs)
    return [Difference(other.path, own, other) for own, other in pairs if own and own.outcome is not other.outcome]


def lines_of(differing: Sequence[Difference]) -> Iterator[Text]:
    """Give them as a person reads them."""
    for each in differing:
        yield Text(f"differs {each.path}", style="bold")
        for name, verdict in (("ours", each.ours), ("theirs", each.theirs)):
            where = f" line {verdict.line}:" if verdict.line else ""
            reason = verdict.reason.partition("\n")[0]
            yield Text(f"        {name + ':':8}{verdict.outcome.value}{where} {reason}".rstrip())
    yield Text(f"disagreements: {len(differing)}")
