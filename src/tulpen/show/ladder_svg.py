"""A ladder as inline SVG: arrows slanted by time, the states as coloured bars along each side.

The drawing needs nothing but its own style sheet, follows the reader's light or dark
theme, and keeps its width: what holds it scrolls sideways on a narrow screen.  Every
rung carries a tooltip with all that is known of it.
"""

from __future__ import annotations

from html import escape
from math import atan2, cos, degrees, log10, sin
from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.show.label import fate_words, fitted, fold_words, numbers, option_words, printable, seconds, span, wrapped
from tulpen.show.ladder import Arrow, Fate, Happening, HappeningKind, Ladder, Rung, Side, Standing
from tulpen.show.moments import Fold, Moment, Part, fold, moments
from tulpen.show.path import path_text
from tulpen.show.style import LADDER_CSS, state_class

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH: Final = 800
LEFT_BAR: Final = 196  # its left edge
RIGHT_BAR: Final = 664
ADDRESS: Final = 19  # letters of an address that fit beside a bar
BAR: Final = 10  # its width
START: Final = LEFT_BAR + BAR
SHAFT: Final = RIGHT_BAR - START  # an arrow's way across
TOP: Final = 64
ROW: Final = 25  # a rung's height without its slant
LINE: Final = 15  # of text
LETTER: Final = 7.3  # width of a monospaced letter
PAUSE: Final = 1_000_000_000  # nanoseconds without a rung that are drawn as a break
STEEP: Final = 5.0  # degrees, beyond which words stay level
SLANT: Final = 9.0  # where the time of flight is unknown


def ladder_svg(ladder: Ladder, *, style: bool = True, show_all: bool = False, absolute: bool = False) -> str:
    """Return the ladder as an ``<svg>`` element; without ``style`` the page brings the style sheet."""
    return _Drawing(ladder, show_all=show_all, absolute=absolute).svg(style=style)


class _Point(NamedTuple):
    x: float
    y: float


class _Drawing:
    """One pass over the ladder, downwards."""

    def __init__(self, ladder: Ladder, *, show_all: bool, absolute: bool) -> None:
        self.ladder = ladder
        self.absolute = absolute
        lines: list[Moment] = moments(ladder)
        self.lines: list[Moment | Fold] = list(lines) if show_all else fold(lines)
        self.y: float = TOP
        self.out: list[str] = []
        self.under: list[str] = []
        self.turns: dict[Side, list[tuple[float, Standing]]] = {side: [] for side in Side}
        self.left_at: dict[int, float] = {}  # where the split arrows began

    def svg(self, *, style: bool) -> str:
        """Return the whole element."""
        for side in Side:
            self._turn(side, TOP - 22, [self.ladder.end(side).first])
        last: int | None = None
        for line in self.lines:
            if last is not None and line.now - last >= PAUSE:
                self._pause(line.now - last)
            last = line.until if isinstance(line, Fold) else line.now
            if isinstance(line, Fold):
                self._fold(line)
            elif isinstance(line.rung, Arrow):
                self._arrow(line, line.rung)
            else:
                self._happening(line, line.rung)
        height = round(self.y + 12)
        head = (
            f'<svg class="tulpen-ladder" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" aria-label="{_safe(self._in_words())}">'
        )
        bars = "".join(self._bars(height - 8))
        sheet = f"<style>{LADDER_CSS}</style>" if style else ""
        paper = f'<rect class="paper" width="{WIDTH}" height="{height}"/>'
        return "".join((head, sheet, paper, *self._names(), bars, *self.under, *self.out, "</svg>"))

    def _in_words(self) -> str:
        ladder = self.ladder
        arrows = sum(isinstance(rung, Arrow) for rung in ladder.rungs)
        ways = "; ".join(f"{ladder.end(side).name}: {path_text(ladder.path(side))}" for side in Side)
        title = f"{ladder.title}. " if ladder.title else ""
        return f"{title}Ladder of {arrows} segments. States of {ways}"

    def _names(self) -> Iterator[str]:
        for side, x, anchor in ((Side.LEFT, START, "end"), (Side.RIGHT, RIGHT_BAR, "start")):
            end = self.ladder.end(side)
            name = end.name.removesuffix(end.address).rstrip() or end.name  # the address has a line of its own
            yield _text(_Point(x, 18), name, "name", anchor)
            if end.address and len(end.address) <= ADDRESS:
                yield _text(_Point(x, 32), end.address, "when", anchor)
            elif end.address:  # from the edge of the paper, towards the middle
                edge, other = (4, "start") if side is Side.LEFT else (WIDTH - 4, "end")
                yield _text(_Point(edge, 32), end.address, "when", other)

    # states

    def _turn(self, side: Side, y: float, path: list[Standing]) -> float:
        """Let the end take on states from ``y`` on; return how far down their names reach."""
        marks = self.turns[side]
        for standing in path:
            if not marks or marks[-1][1] != standing:
                if marks:
                    y = max(y, marks[-1][0] + LINE)
                marks.append((y, standing))
        return marks[-1][0] + LINE if marks else y

    def _bars(self, bottom: float) -> Iterator[str]:
        for side, marks in self.turns.items():
            x = LEFT_BAR if side is Side.LEFT else RIGHT_BAR
            ends = [y for y, _ in marks[1:]] + [bottom]
            for (y, standing), end in zip(marks, ends, strict=True):
                sort = state_class(standing)
                tall = max(end - y - 1, 2)
                yield f'<rect class="{sort}" x="{x}" y="{y:.1f}" width="{BAR}" height="{tall:.1f}" rx="2">'
                yield f"<title>{_safe(standing.title)}</title></rect>"
                at = _Point(x - 6 if side is Side.LEFT else x + BAR + 6, y + 10)
                yield _text(at, standing.title, f"state {sort}", "end" if side is Side.LEFT else "start")

    # rungs

    def _arrow(self, line: Moment, arrow: Arrow) -> None:
        top = self.y
        y0 = top + 16
        y1 = y0 + (_slant(arrow) if line.part is Part.WHOLE else 0)
        if line.part is Part.DEPARTURE:
            self.left_at[id(arrow)] = y0
            rows = 0
        else:
            began = self.left_at.get(id(arrow))
            # What crosses others is drawn before them, so that it hides none of their words.
            rows = self._line(self.out if began is None else self.under, arrow, y0 if began is None else began, y1)
        self._time(line.now, y0)
        low = self._turn(arrow.sender, y0 - 8, list(line.path(arrow.sender)))
        low = max(low, self._turn(arrow.sender.other, y1 - 8, list(line.path(arrow.sender.other))))
        self.y = max(y1 + ROW - 16 + LINE * rows, low)

    def _line(self, out: list[str], arrow: Arrow, y0: float, y1: float) -> int:
        """Draw the arrow with its words; return how many rows of them stand below it."""
        ahead = arrow.sender is Side.LEFT
        start = _Point(START + 2 if ahead else RIGHT_BAR - 2, y0)
        end = _Point(RIGHT_BAR - 2 if ahead else START + 2, y1)
        sort = "bad" if _is_bad(arrow) else "odd" if _is_odd(arrow) else ""
        begins = _along(start, end, 0.3) if arrow.fate is Fate.INJECTED else start
        ends = _along(start, end, 0.72) if arrow.fate is Fate.LOST else end
        room = int((abs(ends.x - begins.x) - 40) / LETTER)
        label = fitted(numbers(self.ladder, arrow, absolute=self.absolute), room)
        # That it is lost stands at the arrow's end.
        told = ", ".join(words for words in fate_words(arrow) if words != Fate.LOST.value)
        beside = f"({told})" if told and len(label) + len(told) + 3 <= room else ""
        out.append(f'<g class="arrow {sort}{" copy" * (arrow.fate is Fate.DUPLICATED)}">')
        out.append(f"<title>{_safe(self._all_of(arrow))}</title>")
        out.append(_stroke(begins, ends) + _head(arrow, start, ends))
        out.append(_along_line(begins, ends, -5, label, "label", beside, sort))
        out.append("</g>")
        below = [] if beside or not told else [(words, sort) for words in wrapped(told, 60)]
        options = ", ".join(option_words(self.ladder, arrow, absolute=self.absolute))
        below += [(words, "options") for words in wrapped(options, 60)] if options else []
        for i, (words, of) in enumerate(below):
            out.append(_along_line(begins, ends, LINE * (i + 1), words, f"remark {of}"))
        return len(below)

    def _all_of(self, arrow: Arrow) -> str:
        """Everything that is known of the arrow, for the tooltip."""
        origin = self.ladder.origin
        words = [f"{seconds(arrow.sent - origin)} s, {self.ladder.end(arrow.sender).name}:"]
        words += numbers(self.ladder, arrow, absolute=self.absolute)
        options = option_words(self.ladder, arrow, absolute=self.absolute, all_of_them=True)
        words += [f"<{', '.join(options)}>"] if options else []
        if arrow.arrived is not None and arrow.arrived > arrow.sent:
            words.append(f"after {span(arrow.arrived - arrow.sent)}")
        if arrow.frame is not None:
            words.append(f"frame {arrow.frame}")
        told = fate_words(arrow)
        return " ".join(words) + (f" ({', '.join(told)})" if told else "")

    def _happening(self, line: Moment, what: Happening) -> None:
        y = self.y + 14
        path = list(line.path(what.side))
        low = self._turn(what.side, y - 10, path)
        self._time(what.now, y)
        lead = {HappeningKind.TIMER: "timer: ", HappeningKind.CALL: "user: "}.get(what.kind, "")
        lines = wrapped(lead + what.words, 60) if what.words else []
        left = what.side is Side.LEFT
        x, anchor = (START + 12, "start") if left else (RIGHT_BAR - 12, "end")
        dot = _Point(START + 4 if left else RIGHT_BAR - 4, y - 4)
        sort = "happening" + (" bad" if what.hurts else "")
        if lines:
            self.out.append(f'<circle class="{sort}" cx="{dot.x}" cy="{dot.y:.1f}" r="3"/>')
        for i, words in enumerate(lines):
            self.out.append(_text(_Point(x, y + i * LINE), words, sort, anchor))
        self.y = max(self.y + 8 + LINE * max(1, len(lines)), low)

    def _fold(self, gap: Fold) -> None:
        self._time(gap.now, self.y + 18)
        for side, way in gap.traffic.items():
            y = self.y + 18
            ahead = side is Side.LEFT
            start, end = _Point(START + 2, y), _Point(RIGHT_BAR - 2, y)
            if not ahead:
                start, end = end, start
            self.out.append('<g class="arrow folded">' + _stroke(start, end) + _triangle(start, end))
            self.out.append(_text(_Point((START + RIGHT_BAR) / 2, y - 5), fold_words(way), "label", "middle"))
            self.out.append("</g>")
            self.y += 22
        if gap.troubles:
            words = f"{gap.troubles:,} of them lost, repeated or noted"
            self.out.append(_text(_Point((START + RIGHT_BAR) / 2, self.y + 12), words, "remark odd", "middle"))
            self.y += LINE
        self.y += 8

    def _pause(self, length: int) -> None:
        y = self.y + 15
        middle = (START + RIGHT_BAR) / 2
        ways = f"M{START + 8} {y - 4:.1f}H{middle - 50}M{middle + 50} {y - 4:.1f}H{RIGHT_BAR - 8}"
        self.out.append(f'<path class="pause" d="{ways}"/>')
        self.out.append(_text(_Point(middle, y), f"{span(length)} later", "when", "middle"))
        self.y += 26

    def _time(self, now: int, y: float) -> None:
        self.out.append(_text(_Point(74, y + 3), seconds(now - self.ladder.origin), "when", "end"))


def _is_bad(arrow: Arrow) -> bool:
    return arrow.hurts or arrow.fate in (Fate.LOST, Fate.CORRUPTED, Fate.INJECTED)


def _is_odd(rung: Rung) -> bool:
    return isinstance(rung, Arrow) and (
        bool(rung.notes) or rung.fate in (Fate.REFUSED, Fate.DUPLICATED, Fate.OUT_OF_ORDER)
    )


def _slant(arrow: Arrow) -> float:
    # By the logarithm of the flight: 10 us are nearly level, a second is steep.
    if arrow.arrived is None or arrow.arrived <= arrow.sent:
        return SLANT
    return min(30.0, max(5.0, 7 * log10((arrow.arrived - arrow.sent) / 1000) - 2))


def _along(start: _Point, end: _Point, share: float) -> _Point:
    return _Point(start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share)


def _along_line(
    start: _Point, end: _Point, off: float, words: str, sort: str, beside: str = "", beside_sort: str = ""
) -> str:
    """Return words that begin near the sender and run along the line; level, at a steep one."""
    ahead = end.x > start.x
    angle = degrees(atan2(end.y - start.y, abs(end.x - start.x))) * (1 if ahead else -1)
    at = _along(start, end, 14 / max(abs(end.x - start.x), 1))
    at = _Point(at.x, (at.y if abs(angle) < STEEP or off < 0 else end.y) + off)
    anchor = "start" if ahead else "end"
    if abs(angle) >= STEEP and off > 0:  # below it only the receiver's end is free
        at, anchor = _Point(end.x + (-8 if ahead else 8), at.y), "end" if ahead else "start"
    turn = f' transform="rotate({angle:.2f} {at.x:.1f} {at.y:.1f})"' if 0.05 < abs(angle) < STEEP else ""
    more = f'<tspan class="{beside_sort}" dx="7">{_safe(beside)}</tspan>' if beside else ""
    return (
        f'<text class="{sort}" x="{at.x:.1f}" y="{at.y:.1f}" text-anchor="{anchor}"{turn}>{_safe(words)}{more}</text>'
    )


def _stroke(start: _Point, end: _Point) -> str:
    return f'<path class="shaft" d="M{start.x:.1f} {start.y:.1f}L{end.x:.1f} {end.y:.1f}"/>'


def _triangle(start: _Point, end: _Point, sort: str = "head") -> str:
    angle = atan2(end.y - start.y, end.x - start.x)
    corners = [end] + [
        _Point(end.x - 9 * cos(angle) - way * 4 * sin(angle), end.y - 9 * sin(angle) + way * 4 * cos(angle))
        for way in (1, -1)
    ]
    return f'<path class="{sort}" d="M' + "L".join(f"{corner.x:.1f} {corner.y:.1f}" for corner in corners) + 'z"/>'


def _head(arrow: Arrow, start: _Point, end: _Point) -> str:
    """Return how the arrow ends: a head, a hollow one where it was not accepted, a cross where it was lost."""
    if arrow.fate is Fate.LOST:
        return _cross(end) + _text(_Point(end.x + (10 if end.x > start.x else -10), end.y + 4), "lost", "remark bad",
                                   "start" if end.x > start.x else "end")  # fmt: skip
    if arrow.fate is Fate.CORRUPTED:
        return _triangle(start, end) + _cross(_along(start, end, 0.96))
    return _triangle(start, end, "head hollow" if arrow.fate is Fate.REFUSED else "head")


def _cross(at: _Point) -> str:
    return f'<path class="cross" d="M{at.x - 5:.1f} {at.y - 5:.1f}l10 10M{at.x - 5:.1f} {at.y + 5:.1f}l10 -10"/>'


def _text(at: _Point, words: str, sort: str, anchor: str) -> str:
    return f'<text class="{sort}" x="{at.x:.1f}" y="{at.y:.1f}" text-anchor="{anchor}">{_safe(words)}</text>'


def _safe(words: str) -> str:
    return escape(printable(words))
