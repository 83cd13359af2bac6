"""The state diagram as SVG: where each state stands is laid out by hand, after Figure 5; every arrow is a row.

It needs no other program, follows the colours of the page it stands in, and is refused
by its test when two labels touch.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.show.diagram import arrows
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from tulpen.tcp.state import Transition

LEFT, CENTRE, RIGHT = 130.0, 450.0, 770.0
ROW = 125.0
WIDTH, HEIGHT = 900.0, 6 * ROW + 90
BOX_WIDTH, BOX_HEIGHT = 140.0, 38.0
TOP = 40.0

_PLACES: Final[dict[State, tuple[float, float]]] = {
    State.CLOSED: (CENTRE, 0),
    State.LISTEN: (CENTRE - 150, 1),
    State.SYN_RECEIVED: (LEFT, 2),
    State.SYN_SENT: (RIGHT, 2),
    State.ESTABLISHED: (CENTRE, 3),
    State.FIN_WAIT_1: (LEFT, 4),
    State.CLOSE_WAIT: (RIGHT, 4),
    State.FIN_WAIT_2: (LEFT, 5),
    State.CLOSING: (CENTRE, 5),
    State.LAST_ACK: (RIGHT, 5),
    State.TIME_WAIT: (CENTRE, 6),
}
# CLOSED stands twice, before the opening and after the end.
_END: Final = (RIGHT, 6.0)

# Half the distance between two arrows that go both ways.
_APART: Final[dict[frozenset[State], float]] = {
    frozenset({State.CLOSED, State.LISTEN}): 19,
    frozenset({State.CLOSED, State.SYN_SENT}): 13,
    frozenset({State.LISTEN, State.SYN_RECEIVED}): 19,
}
# How far along its arrow a label stands, where the middle is taken.
_ALONG: Final[dict[tuple[State, State], float]] = {
    (State.CLOSED, State.LISTEN): 0.6,
    (State.LISTEN, State.CLOSED): 0.55,
    (State.CLOSED, State.SYN_SENT): 0.42,
    (State.SYN_SENT, State.CLOSED): 0.42,
    (State.LISTEN, State.SYN_SENT): 0.52,
    (State.LISTEN, State.SYN_RECEIVED): 0.62,
    (State.SYN_RECEIVED, State.LISTEN): 0.64,
}


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float


class Box(NamedTuple):
    """A rectangle, by its middle."""

    middle: Point
    width: float
    height: float

    def touches(self, other: Box) -> bool:
        """Tell whether the two share any of the picture."""
        across = abs(self.middle.x - other.middle.x) * 2 < self.width + other.width
        down = abs(self.middle.y - other.middle.y) * 2 < self.height + other.height
        return across and down


class Arrow(NamedTuple):
    """A row as it is drawn."""

    row: Transition
    begin: Point
    end: Point
    label: Box
    lines: tuple[str, ...]


def place(state: State, *, after: bool = False) -> Point:
    """Return where a state stands; ``after``: CLOSED as the end."""
    x, row = _END if after and state is State.CLOSED else _PLACES[state]
    return Point(x, TOP + row * ROW)


def layout() -> list[Arrow]:
    """Return every arrow with its label."""
    return [_arrow(row) for row in arrows()]


def _arrow(row: Transition) -> Arrow:
    after = _PLACES[row.source][1] > _PLACES[State.ESTABLISHED][1]
    source, target = place(row.source), place(row.target, after=after)
    aside = _aside(source, target, _APART.get(frozenset({row.source, row.target}), 0))
    begin, end = _leave(source, target, aside, 0), _leave(target, source, aside, 3)
    along = _ALONG.get((row.source, row.target), 0.5)
    lines = (row.event.title, f"sends {row.sends}") if row.sends else (row.event.title,)
    middle = Point(begin.x + (end.x - begin.x) * along, begin.y + (end.y - begin.y) * along)
    label = Box(middle, max(len(line) for line in lines) * 7.4, len(lines) * 15.0)
    return Arrow(row, begin, end, label, lines)


def _aside(source: Point, target: Point, by: float) -> Point:
    """Return how far the arrow stands to the right of the straight way."""
    length = math.dist(source, target)
    return Point(-(target.y - source.y) / length * by, (target.x - source.x) / length * by)


def _leave(box: Point, towards: Point, aside: Point, gap: float) -> Point:
    """Return where the arrow, set aside, leaves the box whose middle is ``box``."""
    dx, dy = towards.x - box.x, towards.y - box.y
    across = (math.copysign(BOX_WIDTH / 2 + gap, dx) - aside.x) / dx if dx else math.inf
    down = (math.copysign(BOX_HEIGHT / 2 + gap, dy) - aside.y) / dy if dy else math.inf
    reach = min(across, down)
    return Point(box.x + aside.x + dx * reach, box.y + aside.y + dy * reach)


_STYLE: Final = """
.tcp-states { max-width: 900px; width: 100%; height: auto; font: 13px system-ui, sans-serif; }
.tcp-states .state rect { fill: none; stroke: currentColor; stroke-width: 1.5; }
.tcp-states .state text { fill: currentColor; font-weight: 600; }
.tcp-states .row path { fill: none; stroke: currentColor; opacity: .65; stroke-width: 1.2; }
.tcp-states .row text { fill: currentColor; paint-order: stroke; stroke-width: 7px; stroke-linejoin: round;
  stroke: var(--color-background-primary, var(--background, white)); }
.tcp-states .row .sends { font-style: italic; }
.tcp-states text { text-anchor: middle; dominant-baseline: central; }
""".strip()


_HEAD: Final = (
    '<marker id="tcp-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 1L10 5L0 9z" fill="currentColor"/></marker>'
)


def as_svg() -> str:
    """Return the diagram as an SVG element."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tcp-states" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img">',
        "<title>The TCP connection state diagram</title>",
        f"<style>{_STYLE}</style>",
        f"<defs>{_HEAD}</defs>",
        *(_svg_line(arrow) for arrow in layout()),
        *(_svg_label(arrow) for arrow in layout()),
        *(_svg_state(state, place(state)) for state in State),
        _svg_state(State.CLOSED, place(State.CLOSED, after=True)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _svg_line(arrow: Arrow) -> str:
    d = "M" + "L".join(f"{p.x:.1f} {p.y:.1f}" for p in (arrow.begin, arrow.end))
    return f'<g class="row"><path d="{d}" marker-end="url(#tcp-head)"/></g>'


def _svg_label(arrow: Arrow) -> str:
    x, y = arrow.label.middle
    top = y - (len(arrow.lines) - 1) * 7.5
    kinds = ("event", "sends")
    texts = [
        f'<text class="{kind}" x="{x:.1f}" y="{top + 15 * i:.1f}">{escape(line)}</text>'
        for i, (kind, line) in enumerate(zip(kinds, arrow.lines, strict=False))
    ]
    title = f"{arrow.row.source.title} to {arrow.row.target.title}, RFC 9293 §{arrow.row.section}"
    return f'<g class="row"><title>{escape(title)}</title>{"".join(texts)}</g>'


def _svg_state(state: State, at: Point) -> str:
    x, y = at.x - BOX_WIDTH / 2, at.y - BOX_HEIGHT / 2
    rect = f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH:g}" height="{BOX_HEIGHT:g}" rx="8"/>'
    return f'<g class="state">{rect}<text x="{at.x:g}" y="{at.y:g}">{state.title}</text></g>'
