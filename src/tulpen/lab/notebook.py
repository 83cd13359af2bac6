"""An account as a notebook shows it: ladders, figures and plots as pictures."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tulpen.lab.incident import Claimed, Drawn, Event, Looked, Measured, Plotted, Said
from tulpen.lab.tell import table_of

if TYPE_CHECKING:
    from tulpen.lab.incident import Account


def fragment(account: Account) -> str:
    """Return the run as a piece of HTML."""
    return "\n".join(_html(event) for event in account.events)


def _html(event: Event) -> str:
    if isinstance(event, Said):
        return f"<p>{escape(event.words)}</p>"
    if isinstance(event, Looked):
        return f"<pre>$ {escape(event.command)}\n{escape(event.answer)}</pre>"
    if isinstance(event, Claimed):
        seen = f" ({escape(event.seen)})" if event.seen else ""
        return f"<p><b>{'holds' if event.held else 'FAILS'}</b> {escape(event.sentence)}{seen}</p>"
    if isinstance(event, Drawn):
        return event.ladder._repr_html_()
    if isinstance(event, Measured):
        return table_of(event).to_html()
    return _plot(event)


def _plot(plot: Plotted) -> str:
    from tulpen.errors import TulpenError
    from tulpen.lab.plots import svg

    try:
        return svg(plot).decode()
    except TulpenError as error:
        return f"<p>{escape(plot.title)}: {escape(str(error))}; {escape(error.remedy)}</p>"
