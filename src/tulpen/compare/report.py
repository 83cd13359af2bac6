"""What a comparison found, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tulpen.compare.follower import Follower
from tulpen.compare.known import Known
from tulpen.compare.run import Findings
from tulpen.compare.sides import Difference
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import text


def lines(findings: Findings, rows: Sequence[Known], one: str, other: str, *, verbose: bool) -> Iterator[str]:
    """Yield what is new, what is doubtful, and the sum."""
    for found in findings.new:
        yield f"new: {' '.join(found.word)}"
        yield from _said(found, one, other)
    if verbose:
        for found in findings.doubtful:
            yield f"did not show again: {' '.join(found.word)}"
            yield from _said(found, one, other)
        for row in rows:
            if findings.known[row.id]:
                yield f"{findings.known[row.id]:6} {row.id}: {row.why} ({row.rule}), as in {row.word}"
    known, new, odd = sum(findings.known.values()), len(findings.new), len(findings.doubtful)
    speed = findings.words / findings.seconds if findings.seconds else 0
    yield (
        f"{findings.words:,} words of {findings.letters:,} inputs in {findings.seconds:.1f} s ({speed:,.0f} a second), "
        f"{findings.pairs:,} pairs of transitions, {len(findings.states)} states"
    )
    yield (
        f"{known:,} words with a known difference ({len(findings.known)} kinds), {new} new, "
        f"{odd} that did not show again"
    )


def _said(found: Difference, one: str, other: str) -> Iterator[str]:
    width = max(len(one), len(other))
    for name, said in ((one, found.one), (other, found.other)):
        yield f"  {name:<{width}}  {said.answer}  {said.state}"


def as_json(findings: Findings, one: str, other: str) -> dict[str, Any]:
    """Return everything that was found."""
    return {
        "sides": [one, other],
        "words": findings.words,
        "inputs": findings.letters,
        "seconds": round(findings.seconds, 3),
        "pairs": findings.pairs,
        "states": sorted(findings.states),
        "known": dict(findings.known),
        "new": [_plain(found) for found in findings.new],
        "doubtful": [_plain(found) for found in findings.doubtful],
    }


def _plain(found: Difference) -> dict[str, Any]:
    return {
        "word": list(found.word),
        "before": found.before,
        "one": list(found.one),
        "other": list(found.other),
    }


Followed = Sequence[tuple[FourTuple, Follower]]


def followed_lines(followed: Followed, *, verbose: bool) -> Iterator[str]:
    """Yield what was refused of real connections, and the sum."""
    for name, follower in followed:
        if verbose or follower.refusals or follower.skipped:
            yield f"{_name(name)}: {follower.packets} packets, {follower.state.title}{_skipped(follower)}"
        for refusal in follower.refusals:
            way = "sent" if refusal.sent else "came"
            yield f"  packet {refusal.number}, {way}: {refusal.segment}"
            yield f"    {refusal.why} (tulpen was in {refusal.state.title})"
    packets = sum(follower.packets for _, follower in followed)
    refused = sum(len(follower.refusals) for _, follower in followed)
    whole = sum(not follower.refusals and not follower.skipped for _, follower in followed)
    yield f"{whole} of {len(followed)} connections' ends accepted, {refused} of {packets:,} packets refused"


def _name(name: FourTuple) -> str:
    return f"{text(name.local)}.{name.local_port} > {text(name.remote)}.{name.remote_port}"


def _skipped(follower: Follower) -> str:
    return f", not judged: {follower.skipped}" if follower.skipped else ""


def followed_as_json(followed: Followed) -> list[dict[str, Any]]:
    """Return every end of a connection with what was refused of it."""
    return [
        {
            "end": _name(name),
            "packets": follower.packets,
            "state": follower.state.title,
            "skipped": follower.skipped,
            "refused": [
                {"packet": each.number, "sent": each.sent, "state": each.state.title, "why": each.why}
                for each in follower.refusals
            ],
        }
        for name, follower in followed
    ]
