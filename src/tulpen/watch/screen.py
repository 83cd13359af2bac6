"""The live screen of a watch, for rich."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from tulpen.show.label import printable
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from collections import Counter

    from rich.console import Console, ConsoleOptions, RenderResult

    from tulpen.watch.activity import Activity
    from tulpen.watch.tally import Tally

_COLOURS: Final = {
    State.LISTEN: "cyan",
    State.SYN_SENT: "yellow",
    State.SYN_RECEIVED: "yellow",
    State.ESTABLISHED: "green",
    State.FIN_WAIT_1: "blue",
    State.FIN_WAIT_2: "blue",
    State.CLOSING: "blue",
    State.CLOSE_WAIT: "red",
    State.LAST_ACK: "red",
    State.TIME_WAIT: "magenta",
}
_WIDE: Final = 110  # columns from which three tables stand beside each other
_GOOD: Final = ("orderly", "half-closed")


class Screen:
    """Draws an activity as it stands when it is printed."""

    def __init__(self, activity: Activity, tally: Tally, notes: list[str]) -> None:
        self.activity = activity
        self.tally = tally
        self.notes = notes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it, cut to the height of the terminal."""
        room = (options.height or console.height) - 1
        wide = options.max_width >= _WIDE
        if wide:
            rows = [_row(self._states(), self._flows(), Group(self._endings(), Text(), self._busiest()))]
        else:
            rows = [_row(self._states(), self._flows()), _row(self._endings(), self._busiest())]
        whole = Group(self._head(), *rows)
        yield whole
        used = len(console.render_lines(whole, options, pad=False))
        for ended in list(self.activity.last)[-max(room - used, 0) :] if room > used else []:
            style = "" if ended.verdict.ending.value in _GOOD else "red"
            yield Text(printable(ended.as_line()), style, no_wrap=True, overflow="ellipsis")

    def _head(self) -> Text:
        tally = self.tally
        head = Text.assemble(
            ("tulpen watch", "bold"),
            f"   {self.activity.namespaces} network namespace{'s' * (self.activity.namespaces != 1)}"
            f"   {tally.events:,} events   ",
            (f"{tally.lost:,} lost", "bold red" if tally.lost else "dim"),
            f"   {sum(tally.resets_sent().values()):,} resets sent, {tally.resets_received:,} received"
            f"   {tally.retransmissions:,} sent again",
            no_wrap=True,
            overflow="ellipsis",
        )
        for note in self.notes:
            head.append(f"\n{note}", "dim")
        return head

    def _states(self) -> Table:
        table = Table(title="sockets now", title_justify="left", title_style="bold", box=None, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for state in State:
            number = self.activity.states.get(state, 0)
            shown = f"{number:,}" if self.activity.states else "?"
            if state is not State.CLOSED or number:
                table.add_row(Text(state.title, _COLOURS.get(state, "")), Text(shown, "" if number else "dim"))
        return table

    def _flows(self) -> Table:
        table = Table(
            title="transitions a second", title_justify="left", title_style="bold", box=None, show_header=False
        )
        for right in (False, True, True):
            table.add_column(justify="right" if right else "left", no_wrap=True)
        for flow in sorted(self.activity.flows, key=lambda flow: (-flow.rate, -flow.total))[:12]:
            way = Text.assemble(
                (flow.before.title, _COLOURS.get(flow.before, "")),
                " > ",
                (flow.after.title, _COLOURS.get(flow.after.state or State.CLOSED, "")),
            )
            table.add_row(way, f"{flow.rate:,.0f}", Text(f"{flow.total:,}", "dim"))
        if not table.rows:
            table.add_row("none yet", "", "")
        return table

    def _endings(self) -> Table:
        return _ranking("how they ended", self.activity.endings, 6, good=_GOOD)

    def _busiest(self) -> Group:
        return Group(
            _ranking("busiest listeners", self.activity.listeners, 5), Text(), _ranking("peers", self.activity.peers, 5)
        )


def _row(*parts: Table | Group) -> Table:
    row = Table.grid(padding=(1, 3, 0, 0))
    for _ in parts:
        row.add_column(no_wrap=True)
    row.add_row(*parts)
    return row


def _ranking(title: str, counts: Counter[str], number: int, good: tuple[str, ...] | None = None) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for name, count in counts.most_common(number):
        style = "" if good is None else "green" if name in good else "red"
        table.add_row(Text(printable(name), style), f"{count:,}")
    if not table.rows:
        table.add_row("none yet", "")
    return table
