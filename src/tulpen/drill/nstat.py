"""``nstat``, and ``grep`` over what it prints (iproute2): the counters that went up since it was last run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.host.counters import COUNTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.drill.world import World


def nstat(world: World, pipeline: list[list[str]]) -> None:
    """Run it; Mismatch where the last ``grep`` of the pipeline would find nothing.

    ``-s`` leaves the history as it is; ``-n`` prints nothing.
    """
    options = "".join(word[1:] for word in pipeline[0][1:] if word.startswith("-"))
    if not set(options) <= set("nsaz"):
        raise Unsupported(f"the command '{' '.join(pipeline[0])}'")
    before, counters = world.counted, world.host.counters()
    if "s" not in options:
        world.counted = dict(counters)
    lines = [] if "n" in options else list(_lines(before, counters))
    for words in pipeline[1:]:
        lines = _grep(lines, words)
        if not lines:
            raise Mismatch(f"nstat: {_pattern(words)} has not gone up")


def _lines(before: dict[str, int], counters: dict[str, int]) -> Iterator[str]:
    for counter in COUNTERS:
        value = counters.get(counter.key, 0) - before.get(counter.key, 0)
        if value > 0:
            yield f"{counter.group}{counter.name}".ljust(32) + f"{value:<16}{0:6.1f}"


def _grep(lines: list[str], words: list[str]) -> list[str]:
    pattern = _pattern(words)
    if words[:1] != ["grep"] or pattern is None or not set(words[1:-1]) <= {"-q", "-w"}:
        raise Unsupported(f"the command 'nstat | {' '.join(words)}'")
    try:
        found = re.compile(rf"\b{pattern}\b" if "-w" in words else pattern)
    except re.error:
        raise Unsupported(f"the pattern {pattern}") from None
    return [line for line in lines if found.search(line)]


def _pattern(words: list[str]) -> str | None:
    return words[-1] if len(words) > 1 else None
