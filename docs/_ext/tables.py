"""Directives that write the tables of the source as tables of the documentation, at every build."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from tulpen.faults.bad_client import BadClient
    from tulpen.faults.fault import Fault

Cell = str | Sequence[str]  # several lines are a list; `x` is code
Table = tuple[Sequence[str], Iterable[Sequence[Cell]]]


def _inline(text: str) -> list[nodes.Node]:
    """Return text in which backquotes set off code."""
    parts = text.split("`")
    return [nodes.literal(text=part) if i % 2 else nodes.Text(part) for i, part in enumerate(parts) if part]


def _entry(cell: Cell) -> nodes.entry:
    entry = nodes.entry()
    for line in [cell] if isinstance(cell, str) else cell:
        entry += nodes.paragraph("", "", *_inline(line))
    return entry


def _row(cells: Sequence[Cell]) -> nodes.row:
    row = nodes.row()
    row += [_entry(cell) for cell in cells]
    return row


def table(titles: Sequence[str], rows: Iterable[Sequence[Cell]]) -> nodes.table:
    table = nodes.table()
    group = nodes.tgroup(cols=len(titles))
    table += group
    group += [nodes.colspec(colwidth=1) for _ in titles]
    head, body = nodes.thead(), nodes.tbody()
    head += _row(titles)
    body += [_row(row) for row in rows]
    group += [head, body]
    return table


def transitions() -> Table:
    """Every row of the transition table."""
    from tulpen.tcp.state import TRANSITIONS

    return ("From", "Event", "To", "Sends", "RFC 9293"), [
        (
            row.source.title,
            row.event.title,
            row.target.title,
            [row.sends, *([f"never taken: {row.never}"] if row.never else [])],
            f"§{row.section}",
        )
        for row in TRANSITIONS
    ]


def states() -> Table:
    """What each state means."""
    from tulpen.show.meanings import STATES

    return ("State", "Meaning", "Lasts", "Many of them are a sign of"), [
        (state.title, meaning.says, meaning.lasts, meaning.many) for state, meaning in STATES.items()
    ]


def events() -> Table:
    """What each event means."""
    from tulpen.show.meanings import EVENTS

    return ("Event", "Meaning", "Proved by", "RFC 9293"), [
        (event.title, meaning.says, meaning.cause, f"§{meaning.section}") for event, meaning in EVENTS.items()
    ]


def _topics(kind: str, *labels: str) -> list[tuple[str, ...]]:
    from tulpen.cli.explain import all_topics

    rows = []
    for topic in all_topics():
        if topic.kind == kind:
            facts = dict(topic.facts)
            rows.append((f"`{topic.name}`", topic.says, *(facts.get(label, "") for label in labels), topic.source))
    return rows


def settings() -> Table:
    """Settings of a host."""
    return ("Setting", "Meaning", "Default", "Unit", "Source"), _topics("setting", "default", "unit")


def options() -> Table:
    """Options of a socket."""
    return ("Option", "Meaning", "Default", "Unit", "Source"), _topics("socket option", "default", "unit")


def reasons() -> Table:
    """Why a segment is dropped, challenged or refused."""
    return ("Reason", "Meaning", "Counter", "Source"), _topics("reason", "counter")


def errnos() -> Table:
    """Errors that applications get."""
    return ("Error", "When", "Calls", "Then", "Source"), _topics("errno", "calls", "then")


def counters() -> Table:
    """Counters of a host."""
    return ("Counter", "Meaning", "Group"), [row[:3] for row in _topics("counter", "group")]


def faults() -> Table:
    """What can go wrong."""
    from tulpen.faults.catalogue import FAULTS

    return ("Fault", "What happens", "A good program"), [_fault(fault) for fault in FAULTS]


def clients() -> Table:
    """What clients can do to a server."""
    from tulpen.faults.clients.catalogue import CLIENTS

    return ("Bad clients", "What they do", "A good server"), [_fault(client) for client in CLIENTS]


def _fault(what: Fault | BadClient) -> Sequence[Cell]:
    parameters = [f"`{each.name}={each.default:g}` {each.meaning}" for each in what.parameters]
    return f"`{what.name}`", [what.says(what.values()), *parameters], [what.good, what.source]


def _words(name: str) -> Table:
    from tulpen.capture import kinds

    return ("Word", "Meaning", "Weight", "Source"), [
        (f"`{word.name}`", word.meaning, word.weight.value, word.clause) for word in getattr(kinds, name)
    ]


def openings() -> Table:
    """How a captured connection opened."""
    return _words("OPENINGS")


def endings() -> Table:
    """How a captured connection ended."""
    return _words("ENDINGS")


def causes() -> Table:
    """Why a RST was sent."""
    return _words("CAUSES")


def findings() -> Table:
    """What is found in a captured connection."""
    return _words("FINDINGS")


def _columns(name: str) -> Table:
    from tulpen.capture import columns

    return ("Column", "Type", "Meaning"), [
        (f"`{column.name}`", column.kind, column.meaning) for column in columns.TABLES[name]
    ]


def connection_columns() -> Table:
    """The columns of the table of connections."""
    return _columns("connections")


def move_columns() -> Table:
    """The columns of the table of transitions."""
    return _columns("moves")


def finding_columns() -> Table:
    """The columns of the table of findings."""
    return _columns("findings")


TABLES: dict[str, Callable[[], Table]] = {
    maker.__name__: maker
    for maker in (
        transitions,
        states,
        events,
        settings,
        options,
        reasons,
        errnos,
        counters,
        faults,
        clients,
        openings,
        endings,
        causes,
        findings,
        connection_columns,
        move_columns,
        finding_columns,
    )
}


class TableDirective(SphinxDirective):
    """``{from-table} settings`` writes one of ``TABLES``."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Write it."""
        return [table(*TABLES[self.arguments[0]]())]


class DiagramDirective(SphinxDirective):
    """``{state-diagram}`` draws the state machine, with its notes under it."""

    def run(self) -> list[nodes.Node]:
        """Draw it."""
        from tulpen.show.diagram import notes
        from tulpen.show.diagram_svg import as_svg

        items = nodes.bullet_list()
        for note in notes():
            item = nodes.list_item()
            item += nodes.paragraph(text=note.text)
            items += item
        return [nodes.raw("", as_svg(), format="html"), items]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("from-table", TableDirective)
    app.add_directive("state-diagram", DiagramDirective)
    return {"parallel_read_safe": True}
