"""A ladder in the terminal, from 60 columns up; without colour and without UTF-8 it says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.text import Text

from tulpen.show.label import (
    ascii_text,
    fate_words,
    fitted,
    fold_words,
    numbers,
    option_words,
    printable,
    seconds,
    span,
    wrapped,
)
from tulpen.show.ladder import Arrow, Fate, Happening, HappeningKind, Ladder, Side, Standing
from tulpen.show.moments import Fold, Moment, Part, fold, moments
from tulpen.show.path import state_text
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderResult

TIME: Final = 11  # columns
STATE: Final = 13  # SYN-RECEIVED?
NARROW_STATE: Final = 9  # SYN-RECV?
NARROW: Final = 72
WIDEST: Final = 132
NARROWEST: Final = 60
PAUSE: Final = 1_000_000_000  # nanoseconds without a rung that get a line of their own

STYLES: Final[dict[State, str]] = {
    State.CLOSED: "bold bright_black",
    State.LISTEN: "bold cyan",
    State.SYN_SENT: "bold yellow",
    State.SYN_RECEIVED: "bold yellow",
    State.ESTABLISHED: "bold green",
    State.FIN_WAIT_1: "bold blue",
    State.FIN_WAIT_2: "bold blue",
    State.CLOSING: "bold blue",
    State.CLOSE_WAIT: "bold red",
    State.LAST_ACK: "bold red",
    State.TIME_WAIT: "bold magenta",
}


class _Glyphs(NamedTuple):
    line: str
    copy: str  # the line of a second copy
    right: str
    left: str
    refused_right: str
    refused_left: str
    lost: str
    dots: str
    bar: str
    pause: str
    note: str


_UTF8: Final = _Glyphs("─", "╌", "▶", "◀", "▷", "◁", "✗", "┄", "│", "⋮", "└ ")
_ASCII: Final = _Glyphs("-", "=", ">", "<", "|", "|", "x", ".", "|", ":", "` ")


class LadderText:
    """A renderable of rich: ``console.print(LadderText(ladder))``."""

    def __init__(
        self,
        ladder: Ladder,
        *,
        show_all: bool = False,
        absolute: bool = False,
        letters: bool = False,
        ascii_only: bool | None = None,
    ) -> None:
        self.ladder = ladder
        self.show_all = show_all  # fold nothing
        self.absolute = absolute  # sequence numbers as on the wire
        self.letters = letters  # tcpdump's flags
        self.ascii_only = ascii_only  # None: as the console's encoding asks

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = options.ascii_only if self.ascii_only is None else self.ascii_only
        drawing = _Drawing(self, _ASCII if plain else _UTF8, max(NARROWEST, min(options.max_width, WIDEST)))
        for line in drawing.lines():
            line.no_wrap = True
            line.overflow = "ignore"
            line.rstrip()
            yield line


def ladder_text(ladder: Ladder, width: int = 80, *, show_all: bool = False, ascii_only: bool = False) -> str:
    """Return the drawing as plain text."""
    drawing = LadderText(ladder, show_all=show_all, ascii_only=ascii_only)
    lines = _Drawing(drawing, _ASCII if ascii_only else _UTF8, max(NARROWEST, min(width, WIDEST))).lines()
    return "".join(f"{line.plain.rstrip()}\n" for line in lines)


class _Drawing:
    """One pass over the ladder, at one width."""

    def __init__(self, asked: LadderText, glyphs: _Glyphs, width: int) -> None:
        self.asked = asked
        self.ladder = asked.ladder
        self.glyphs = glyphs
        self.state = STATE if width >= NARROW else NARROW_STATE
        self.middle = width - TIME - 2 * (self.state + 1)
        self.at = {Side.LEFT: self.ladder.left.first, Side.RIGHT: self.ladder.right.first}

    def lines(self) -> Iterator[Text]:
        yield from self._header()
        lines: list[Moment] = moments(self.ladder)
        last: int | None = None
        for moment in lines if self.asked.show_all else fold(lines):
            if last is not None and moment.now - last >= PAUSE:
                yield self._pause(moment.now - last)
            last = moment.now
            if isinstance(moment, Fold):
                yield from self._fold(moment)
                last = moment.until
            elif isinstance(moment.rung, Arrow):
                yield from self._arrow(moment, moment.rung)
            else:
                yield from self._happening(moment, moment.rung)

    # one line of the drawing: time, left end, middle, right end

    def _row(self, time: str, left: Text, middle: Text, right: Text) -> Text:
        line = Text(time.rjust(TIME - 1) + " ", style="dim")
        plain = Text()
        plain.append_text(_padded(left, self.state, to_right=True)).append(" ")
        plain.append_text(_padded(middle, self.middle)).append(" ")
        plain.append_text(_padded(right, self.state))
        whole = Text()
        return whole.append_text(line).append_text(plain)

    def _say(self, words: str) -> str:
        # Other people's words, safe for the terminal and in its character set.
        words = printable(words)
        return ascii_text(words) if self.glyphs is _ASCII else words

    def _state(self, standing: Standing) -> Text:
        name = state_text(standing, self.state) if standing.state is not None else "unknown"
        if standing.state is None or standing.inferred:
            return Text(name, style="italic" if standing.state is None else f"italic {STYLES[standing.state]}")
        return Text(name, style=STYLES[standing.state])

    def _bar(self) -> Text:
        return Text(self.glyphs.bar, style="dim")

    def _turns(self, moment: Moment, side: Side) -> list[Text]:
        # The states that the end takes on at this moment; those it is in already are not said again.
        turns = []
        for standing in moment.path(side):
            if standing != self.at[side]:
                self.at[side] = standing
                turns.append(self._state(standing))
        return turns

    def _rows(self, moment: Moment, time: str, middles: list[Text]) -> Iterator[Text]:
        left, right = self._turns(moment, Side.LEFT), self._turns(moment, Side.RIGHT)
        for i in range(max(len(left), len(right), len(middles))):
            yield self._row(
                time if i == 0 else "",
                left[i] if i < len(left) else self._bar(),
                middles[i] if i < len(middles) else Text(),
                right[i] if i < len(right) else self._bar(),
            )

    def _header(self) -> Iterator[Text]:
        if self.ladder.title:
            yield Text(self._say(self.ladder.title), style="bold")
        left, right = self._say(self.ladder.left.name), self._say(self.ladder.right.name)
        # The names stand over the states and may reach into the middle, up to half of it each.
        half = self.state + self.middle // 2
        left, right = _cut(left, half), _cut(right, half)
        line = Text(" " * TIME)
        line.append(left.rjust(self.state) if len(left) <= self.state else left, style="bold underline")
        line.append(" " * max(1, TIME + 2 * self.state + self.middle + 2 - len(line) - max(len(right), self.state)))
        line.append(right, style="bold underline")
        yield line
        yield self._row("", self._state(self.ladder.left.first), Text(), self._state(self.ladder.right.first))

    def _pause(self, length: int) -> Text:
        words = Text(f"{self.glyphs.pause} {span(length)}", style="dim")
        return self._row("", self._bar(), _centred(words, self.middle), self._bar())

    def _fold(self, gap: Fold) -> Iterator[Text]:
        time = seconds(gap.now - self.ladder.origin)
        room = self.middle - 6
        for side, way in gap.traffic.items():
            words = fold_words(way, room)
            middle = self._shaft(words, side, style="dim cyan")
            yield self._row(time, self._bar(), middle, self._bar())
            time = ""
        if gap.troubles:
            words = f"{self.glyphs.note}{gap.troubles:,} of them lost, repeated or noted"
            yield self._row("", self._bar(), Text(_cut(words, self.middle), style="yellow"), self._bar())

    def _happening(self, moment: Moment, what: Happening) -> Iterator[Text]:
        style = "bold red" if what.hurts else "italic"
        words = {HappeningKind.TIMER: "timer: ", HappeningKind.CALL: ""}.get(what.kind, "") + self._say(what.words)
        middles = []
        for part in wrapped(words, self.middle - 4) if words else []:
            text = Text(part, style=style)
            text.pad_left(2 if what.side is Side.LEFT else self.middle - 2 - len(part))
            middles.append(text)
        yield from self._rows(moment, seconds(what.now - self.ladder.origin), middles)

    def _arrow(self, moment: Moment, arrow: Arrow) -> Iterator[Text]:
        options = option_words(self.ladder, arrow, absolute=self.asked.absolute)
        parts = numbers(self.ladder, arrow, absolute=self.asked.absolute, letters=self.asked.letters)
        lost = arrow.fate is Fate.LOST
        room = self.middle - (13 if lost else 8)
        label = fitted(parts, room)
        said = ", ".join(options)
        remarks = [] if moment.part is Part.DEPARTURE else [self._say(words) for words in fate_words(arrow)]
        remarks = remarks[1 if lost else 0 :]  # that it is lost stands at the arrow's end
        remarks = [", ".join(remarks)] if remarks else []
        inside = bool(said) and len(label) + 3 + len(said) <= room
        if inside:
            label += f" <{said}>"
        if len(remarks) == 1 and len(label) + 3 + len(remarks[0]) <= room:
            label += f" ({remarks.pop()})"
        middles = [self._line(moment, arrow, label)]
        if moment.part is not Part.ARRIVAL and said and not inside:
            middles += self._remarks([said], arrow.sender, "dim")
        middles += self._remarks(remarks, arrow.sender, "bold red" if arrow.hurts else "yellow")
        yield from self._rows(moment, seconds(moment.now - self.ladder.origin), middles)

    def _remarks(self, remarks: list[str], sender: Side, style: str) -> list[Text]:
        out = []
        for remark in remarks:
            block = wrapped(remark, self.middle - 6)
            start = 3 if sender is Side.LEFT else max(0, self.middle - 5 - max(map(len, block)))
            for i, part in enumerate(block):
                text = Text((self.glyphs.note if i == 0 else "  ") + part, style=style)
                text.pad_left(start)
                out.append(text)
        return out

    def _line(self, moment: Moment, arrow: Arrow, label: str) -> Text:
        g = self.glyphs
        to_right = arrow.sender is Side.LEFT
        if moment.part is Part.DEPARTURE:
            return self._shaft(label, arrow.sender, head=g.dots * 2)
        if moment.part is Part.ARRIVAL:
            return self._shaft(label, arrow.sender, tail=g.dots * 2)
        style = _fate_style(arrow)
        if arrow.fate is Fate.LOST:
            return self._shaft(label, arrow.sender, head=g.lost, ends="lost", style=style)
        if arrow.fate is Fate.INJECTED:
            return self._shaft(label, arrow.sender, tail="", style=style)
        if arrow.fate is Fate.CORRUPTED:
            return self._shaft(label, arrow.sender, head=g.lost, style=style)
        if arrow.fate is Fate.DUPLICATED:
            return self._shaft(label, arrow.sender, line=g.copy, style=style)
        if arrow.fate is Fate.REFUSED:
            return self._shaft(label, arrow.sender, head=g.refused_right if to_right else g.refused_left, style=style)
        return self._shaft(label, arrow.sender, style=style)

    def _shaft(
        self,
        label: str,
        sender: Side,
        *,
        head: str | None = None,
        tail: str | None = None,
        line: str | None = None,
        ends: str = "",
        style: str = "",
    ) -> Text:
        """Draw the arrow around its label.

        ``tail`` is how it begins: nothing for what came from elsewhere.  ``ends``
        are words for the far side, which it then does not reach.
        """
        g = self.glyphs
        to_right = sender is Side.LEFT
        line = g.line if line is None else line
        head = (g.right if to_right else g.left) if head is None else head
        begins = line * 2 if tail is None else tail
        label = _cut(label, self.middle - 6 - len(ends))
        space = self.middle - len(begins) - len(label) - len(head) - 2
        blank = max(len(ends), min(self.middle // 5, space - 2)) if ends or tail == "" else 0
        shaft = line * max(1, space - blank)
        near = " " * (blank - len(ends)) if tail == "" else ""
        far = f" {ends}".ljust(blank) if to_right else f"{ends} ".rjust(blank)
        pieces = [(near + begins, "dim"), (f" {label} ", style), (shaft + head, "dim"), (far if ends else "", style)]
        if not to_right:
            pieces[2] = (head + shaft, "dim")
            pieces.reverse()
            pieces[-1] = (begins + near, "dim")
        return Text.assemble(*pieces)


def _fate_style(arrow: Arrow) -> str:
    if arrow.fate in (Fate.LOST, Fate.CORRUPTED, Fate.INJECTED) or arrow.hurts:
        return "red"
    if arrow.fate in (Fate.REFUSED, Fate.DUPLICATED, Fate.OUT_OF_ORDER) or arrow.notes:
        return "yellow"
    return ""


def _padded(text: Text, width: int, *, to_right: bool = False) -> Text:
    out = text.copy()
    missing = width - len(out)
    if missing > 0:
        if to_right:
            out.pad_left(missing)
        else:
            out.pad_right(missing)
    return out


def _centred(text: Text, width: int) -> Text:
    out = text.copy()
    out.pad_left(max(0, (width - len(text)) // 2))
    return out


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 3)] + "..."
