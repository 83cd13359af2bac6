"""A learnt machine as pictures: for Graphviz with every state, and as SVG with the RFC's states.

In the SVG the states stand where the diagram of the documentation has them, as many
learnt states in one box as bear its name; an arrow is coloured by what explains it.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

from tulpen.learn.rows import Explained, explained
from tulpen.show.diagram_svg import BOX_HEIGHT, BOX_WIDTH, HEIGHT, WIDTH, Point, place
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from tulpen.learn.machine import Machine

#: Of an arrow, the worst of what it stands for.
_COLOURS: Final = {"unexplained": "#c0392b", "Linux": "#b9770e", "permitted option": "#2874a6", "RFC": "currentColor"}
_WORST: Final = tuple(_COLOURS)
_SHOWN: Final = 3  # letters on an arrow; its title has all
_APART: Final = 9.0


def as_dot(machine: Machine) -> str:
    """Return every state and transition in Graphviz's language, those that change nothing and say nothing left out."""
    lines = [
        "digraph machine {",
        f'  label="{machine.name}, {machine.alphabet}";',
        "  node [shape=box, style=rounded];",
    ]
    lines += [f'  {number} [label="{name}\\n{number}"];' for number, name in enumerate(machine.states)]
    arrows: dict[tuple[int, int, str], list[str]] = {}
    for each in explained(machine):
        step = each.step
        if step.source != step.target or not step.answer.startswith("-"):
            arrows.setdefault((step.source, step.target, each.kind), []).append(f"{step.letter} / {step.answer}")
    for (source, target, kind), labels in arrows.items():
        colour = _COLOURS[kind] if kind != "RFC" else "black"
        label = "\\n".join(labels)
        lines.append(f'  {source} -> {target} [label="{label}", color="{colour}"];')
    return "\n".join([*lines, "}"]) + "\n"


def as_svg(machine: Machine) -> str:
    """Return the RFC's states, and between them what the machine does."""
    arrows: dict[tuple[State, State], list[Explained]] = {}
    for each in explained(machine):
        before, after = _state(each.before), _state(each.after)
        if before is not None and after is not None and before is not after:
            arrows.setdefault((before, after), []).append(each)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT + 30:g}" role="img" '
        'font-family="system-ui, sans-serif" font-size="11" text-anchor="middle">',
        f"<title>{escape(machine.name)}, alphabet {escape(machine.alphabet)}</title>",
        *(_arrow(before, after, steps) for (before, after), steps in arrows.items()),
        *(_box(machine, state) for state in State),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _state(name: str) -> State | None:
    """Return the state of that name; where a learnt state has several names, the first of them."""
    return next((state for state in State if state.title == name.partition("/")[0]), None)


def _arrow(before: State, after: State, steps: list[Explained]) -> str:
    begin, end = place(before), place(after)
    length = math.dist(begin, end) or 1.0
    aside = Point((begin.y - end.y) / length * _APART, (end.x - begin.x) / length * _APART)
    begin, end = _leave(begin, end, aside), _leave(end, begin, aside)
    kind = next(kind for kind in _WORST if any(each.kind == kind for each in steps))
    letters = list(dict.fromkeys(each.step.letter for each in steps))
    label = ", ".join(letters[:_SHOWN]) + (" ..." if len(letters) > _SHOWN else "")
    title = "\n".join(
        dict.fromkeys(f"{each.step.letter} / {each.step.answer} ({each.kind}{_reference(each)})" for each in steps)
    )
    x, y = begin.x + (end.x - begin.x) * 0.4, begin.y + (end.y - begin.y) * 0.4
    return (
        f'<g stroke="{_COLOURS[kind]}" fill="{_COLOURS[kind]}"><title>{escape(title)}</title>'
        f'<path d="M{begin.x:.1f} {begin.y:.1f}L{end.x:.1f} {end.y:.1f}"/>{_head(begin, end)}'
        f'<text x="{x:.1f}" y="{y:.1f}" stroke="none">{escape(label)}</text></g>'
    )


def _reference(each: Explained) -> str:
    return f", {each.row.id}" if each.row else ""


def _head(begin: Point, end: Point) -> str:
    angle = math.atan2(end.y - begin.y, end.x - begin.x)
    left, right = (Point(end.x - 9 * math.cos(angle + by), end.y - 9 * math.sin(angle + by)) for by in (-0.4, 0.4))
    return f'<path d="M{end.x:.1f} {end.y:.1f}L{left.x:.1f} {left.y:.1f}L{right.x:.1f} {right.y:.1f}z" stroke="none"/>'


def _leave(box: Point, towards: Point, aside: Point) -> Point:
    dx, dy = towards.x - box.x, towards.y - box.y
    across = (BOX_WIDTH / 2) / abs(dx) if dx else math.inf
    down = (BOX_HEIGHT / 2) / abs(dy) if dy else math.inf
    reach = min(across, down)
    return Point(box.x + dx * reach + aside.x, box.y + dy * reach + aside.y)


def _box(machine: Machine, state: State) -> str:
    at = place(state)
    count = sum(_state(name) is state for name in machine.states)
    times = f" ×{count}" if count > 1 else ""  # noqa: RUF001
    return (
        f'<g opacity="{1 if count else 0.3}"><rect x="{at.x - BOX_WIDTH / 2:g}" y="{at.y - BOX_HEIGHT / 2:g}" '
        f'width="{BOX_WIDTH:g}" height="{BOX_HEIGHT:g}" rx="8" fill="none" stroke="currentColor"/>'
        f'<text x="{at.x:g}" y="{at.y + 4:g}" font-weight="600" fill="currentColor">{state.title}{times}</text></g>'
    )


def _legend() -> list[str]:
    return [
        f'<text x="{100 + 200 * place_:g}" y="{HEIGHT + 15:g}" fill="{colour}">{kind}</text>'
        for place_, (kind, colour) in enumerate(_COLOURS.items())
    ]
