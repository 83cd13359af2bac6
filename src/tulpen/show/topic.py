"""A word of TCP and what is known of it: a value, how it is found by any spelling, how it is written out."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tulpen.tcp.state import Transition

WIDTH = 80


@dataclass(frozen=True, slots=True)
class Topic:
    """One word: a state, an event, a fault, an errno, a setting, a counter, a reason."""

    kind: str
    name: str
    says: str  # one sentence
    source: str = ""  # RFC and section, or manual page
    facts: tuple[tuple[str, str], ...] = ()  # label and text
    rows: tuple[Transition, ...] = ()  # of the transition table, that it takes part in
    also: tuple[str, ...] = ()  # other names that find it

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "says": self.says,
            "source": self.source,
            "facts": dict(self.facts),
            "transitions": [
                {
                    "source": row.source.title,
                    "event": row.event.title,
                    "target": row.target.title,
                    "section": f"RFC 9293 §{row.section}",
                    "sends": row.sends,
                    "never": row.never,
                }
                for row in self.rows
            ],
        }


class UnknownWord(LookupError):
    """No topic has that name; ``near`` are names like it."""

    def __init__(self, word: str, near: Sequence[str], *, ambiguous: bool) -> None:
        what = "could mean several things" if ambiguous else "is not known"
        hint = f": {', '.join(near)}" if ambiguous else f"; near it: {', '.join(near)}" if near else ""
        super().__init__(f"{word!r} {what}{hint}")
        self.near = tuple(near)


def find(word: str, topics: Sequence[Topic]) -> list[Topic]:
    """Return the topics called ``word`` in any spelling, or the one that alone begins so; raises UnknownWord."""
    key = _key(word)
    spellings = [({_key(name) for name in (topic.name, *topic.also)}, topic) for topic in topics]
    exact = [topic for keys, topic in spellings if key in keys]
    if exact:
        return exact
    begins = [topic for keys, topic in spellings if key and any(name.startswith(key) for name in keys)]
    if len({topic.name for topic in begins}) == 1:
        return begins
    if begins:
        raise UnknownWord(word, sorted({topic.name for topic in begins}), ambiguous=True)
    import difflib

    names = {name: topic.name for keys, topic in spellings for name in keys}
    near = dict.fromkeys(names[close] for close in difflib.get_close_matches(key, names, 5, 0.6))
    inside = dict.fromkeys(title for name, title in names.items() if len(key) > 2 and key in name)
    raise UnknownWord(word, [*near, *(name for name in inside if name not in near)][:5], ambiguous=False)


def _key(name: str) -> str:
    """Return the letters and digits alone: ``TIME-WAIT``, ``time_wait`` and ``TimeWait`` are one."""
    bare = name.lower()
    for prefix in ("net.ipv4.", "net/ipv4/", "net.core.", "net/core/"):
        bare = bare.removeprefix(prefix)
    return "".join(c for c in bare if c.isalnum())


def topic_text(topic: Topic) -> str:
    """Return everything about one topic, at most ``WIDTH`` columns wide."""
    return "\n".join(_lines(topic))


def _lines(topic: Topic) -> Iterator[str]:
    head = f"{topic.name}, {_article(topic.kind)} {topic.kind}"
    yield f"{head}{topic.source:>{WIDTH - len(head)}}".rstrip()
    yield ""
    yield from textwrap.wrap(topic.says, WIDTH, initial_indent="  ", subsequent_indent="  ")
    if topic.facts:
        yield ""
        width = max(len(label) for label, _ in topic.facts)
        for label, text in topic.facts:
            lead = f"  {label:<{width}}  "
            yield from textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead)) or [lead]
    if topic.rows:
        yield ""
        yield from _rows(topic.rows)


def _article(kind: str) -> str:
    return "an" if kind[0] in "aeiou" else "a"


def _rows(rows: Iterable[Transition]) -> Iterator[str]:
    """Yield the transitions, those of one event to one target with one section on one line where they fit."""
    merged: dict[tuple[str, str, str, str, str], list[str]] = {}
    for row in rows:
        key = (row.event.title, row.target.title, row.section, row.sends, row.never)
        merged.setdefault(key, []).append(row.source.title)
    for (event, target, section, sends, never), sources in merged.items():
        sent = f"sends {sends}" if sends else ""
        sources_text = textwrap.wrap(", ".join(sources), 64, initial_indent="  ", subsequent_indent="  ")
        arrow = f"--{event}--> {target}"
        if len(sources_text) == 1 and len(sources_text[0]) < 16:
            first = f"{sources_text[0]:<16} {arrow}"
        else:
            yield from sources_text
            first = f"{'':<16} {arrow}"
        yield f"{first:<{WIDTH - 27}} {sent:<16}§{section:>9}"
        if never:
            yield from textwrap.wrap(
                f"(never taken: {never})", WIDTH, initial_indent=" " * 17, subsequent_indent=" " * 18
            )


def list_text(topics: Sequence[Topic]) -> str:
    """Return one line for each topic, under a heading for each kind."""
    lines = []
    for kind in dict.fromkeys(topic.kind for topic in topics):
        members = [topic for topic in topics if topic.kind == kind]
        width = max(len(topic.name) for topic in members)
        lines.append(f"{kind}s" if not kind.endswith("s") else kind)
        lines += [_clip(f"  {topic.name:<{width}}  {topic.says}") for topic in members]
        lines.append("")
    return "\n".join(lines).rstrip()


def _clip(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3].rstrip() + "..."
