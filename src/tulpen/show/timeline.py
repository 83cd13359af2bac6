"""Spans of time under each other, and above them how many began when: the overview of many connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, NamedTuple

from tulpen.show.label import printable, span
from tulpen.show.style import themed
from tulpen.show.table import Tone

WIDTH: Final = 960.0
LEFT: Final = 70.0  # names end here
RIGHT: Final = 760.0  # words begin after it
LANE: Final = 20.0
HEIGHT: Final = 70.0  # of the columns
BINS: Final = 120
TICKS: Final = 5
LETTERS: Final = 27  # of the words beside a lane

_TONES: Final = (Tone.BAD, Tone.ODD, Tone.PLAIN)
TIMELINE_CSS: Final = (
    ".tulpen-timeline{display:block;font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}"
    ".tulpen-timeline text{fill:var(--t-ink)}.tulpen-timeline .tick{fill:var(--t-dim);font-size:11px}"
    ".tulpen-timeline .grid{stroke:var(--t-line)}.tulpen-timeline rect{fill:var(--t-established)}"
    ".tulpen-timeline rect.bad{fill:var(--t-bad)}.tulpen-timeline rect.odd{fill:var(--t-odd)}"
    ".tulpen-timeline a text{fill:var(--t-link);text-decoration:underline}"
)


class Lane(NamedTuple):
    """One span: its name, from when to when in nanoseconds, what is said of it, where its name leads."""

    name: str
    start: int
    end: int
    words: str
    tone: Tone = Tone.PLAIN
    href: str = ""


@dataclass(slots=True)
class Timeline:
    """``lanes`` are drawn; ``began`` is counted: when each connection began, and its tone."""

    lanes: Sequence[Lane]
    began: Sequence[tuple[int, Tone]]
    caption: str = ""

    def to_html(self) -> str:
        """Return a ``<figure>`` for a page that has the style sheet."""
        caption = f"<figcaption>{escape(printable(self.caption))}</figcaption>" if self.caption else ""
        return (
            f'<figure class="timeline">{caption}<div class="scroll" role="region" aria-label="Timeline" tabindex="0">'
            f"{self.svg()}</div></figure>"
        )

    def _repr_html_(self) -> str:
        """Draw it where a notebook shows it."""
        return f"<style>{themed('.tulpen-timeline')}{TIMELINE_CSS}</style>{self.to_html()}"

    def svg(self) -> str:
        """Return the picture; its colours are the page's."""
        first, last = self._bounds()
        bottom = HEIGHT + 40 + LANE * len(self.lanes)
        parts = [*self._grid(first, last, bottom), *self._columns(first, last)]
        for place, lane in enumerate(self.lanes):
            parts += _lane(lane, HEIGHT + 34 + LANE * place, first, last)
        return (
            f'<svg class="tulpen-timeline" xmlns="http://www.w3.org/2000/svg" width="{WIDTH:.0f}" '
            f'height="{bottom:.0f}" viewBox="0 0 {WIDTH:.0f} {bottom:.0f}" role="img" '
            f'aria-label="{escape(printable(self._in_words()))}">{"".join(parts)}</svg>'
        )

    def _in_words(self) -> str:
        first, last = self._bounds()
        bad = sum(tone is Tone.BAD for _, tone in self.began)
        return f"{len(self.began):,} connections in {span(last - first)}, {bad:,} of them failed or hung"

    def _bounds(self) -> tuple[int, int]:
        starts = [when for when, _ in self.began] + [lane.start for lane in self.lanes]
        ends = [lane.end for lane in self.lanes]
        first = min(starts, default=0)
        return first, max([*starts, *ends, first + 1])

    def _grid(self, first: int, last: int, bottom: float) -> Iterator[str]:
        for tick in range(TICKS + 1):
            share = tick / TICKS
            x = LEFT + (RIGHT - LEFT) * share
            words = "0" if not tick else span(round((last - first) * share))
            yield f'<path class="grid" d="M{x:.1f} 8V{bottom - 4:.1f}"/>'
            yield f'<text class="tick" x="{x:.1f}" y="{HEIGHT + 24:.1f}" text-anchor="middle">{words}</text>'

    def _columns(self, first: int, last: int) -> Iterator[str]:
        counts: list[dict[Tone, int]] = [dict.fromkeys(_TONES, 0) for _ in range(BINS)]
        for when, tone in self.began:
            place = min((when - first) * BINS // (last - first), BINS - 1)
            counts[place][tone if tone in _TONES else Tone.PLAIN] += 1
        most = max(sum(each.values()) for each in counts)
        if not most:
            return
        wide = (RIGHT - LEFT) / BINS
        yield f'<text class="tick" x="{LEFT - 8:.1f}" y="16" text-anchor="end">{most:,}</text>'
        for place, each in enumerate(counts):
            top = HEIGHT + 8
            for tone, count in each.items():
                high = HEIGHT * count / most
                top -= high
                if count:
                    yield _bar(LEFT + wide * place, top, max(wide - 1, 1), high, tone)


def _lane(lane: Lane, y: float, first: int, last: int) -> Iterator[str]:
    scale = (RIGHT - LEFT) / (last - first)
    start = LEFT + (lane.start - first) * scale
    wide = max((max(lane.end, lane.start) - lane.start) * scale, 2.0)
    yield _bar(start, y + 3, wide, LANE - 8, lane.tone)
    name = f'<text class="lane" x="{LEFT - 8:.1f}" y="{y + 13:.1f}" text-anchor="end">{_safe(lane.name)}</text>'
    yield f'<a href="{_safe(lane.href)}">{name}</a>' if lane.href else name
    words = lane.words if len(lane.words) <= LETTERS else lane.words[: LETTERS - 3] + "..."
    yield f'<text x="{RIGHT + 8:.1f}" y="{y + 13:.1f}">{_safe(words)}</text>'


def _bar(x: float, y: float, wide: float, high: float, tone: Tone) -> str:
    sort = f' class="{tone.value}"' if tone.value else ""
    return f'<rect{sort} x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"/>'


def _safe(words: str) -> str:
    return escape(printable(words))
