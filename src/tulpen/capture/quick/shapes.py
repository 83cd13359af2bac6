"""Shapes of plain connections: words of letters, and what the exact reader tells of each.

No second machine: what a letter does is seen by the exact ``Conversation``, which is given a connection made of the
word's letters.  A letter that changes nothing leaves the shape as it is; so words stay short, and the table of what
follows what is filled in as letters come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import numpy as np

from tulpen.capture.follower import is_over
from tulpen.capture.quick.canonical import Canonical, first_letters
from tulpen.capture.quick.keys import key_of, place
from tulpen.capture.quick.layout import MOST_LETTERS
from tulpen.capture.quick.letters import RESET
from tulpen.capture.quick.state import Table
from tulpen.capture.rows import told
from tulpen.capture.verdict import ending, opening

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tulpen.capture.conversation import Conversation
    from tulpen.capture.record import Connection
    from tulpen.capture.verdict import Ending, Opening

NOT_YET: Final = -1  # nobody has asked what follows
NEVER: Final = -2  # it would not be plain
MOST: Final = 1 << 15  # shapes

OVER: Final = 1  # flags of a shape: both ends are done
TOLD: Final = 2  # a connection may end so, and nothing is found
REFUSES: Final = 4  # a RST of end 0 now would refuse the SYN of end 1; shifted by one for end 1


class Stage(NamedTuple):
    """A move of a template: ``Move`` with letters for frames and times, -1 where there is none."""

    side: int
    frame: int
    when: int
    source: str
    event: str
    target: str
    known: str
    proof: int


@final
@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """What is told of every connection of one shape.  Letters count from 0; -1: none."""

    word: tuple[int, ...]
    client: int  # side
    opened_at: int  # letter
    ended_at: int  # letter
    idle: bool  # whether ``PLAIN["idle"]`` is told; else it is 0
    moves: tuple[Stage, ...]  # end 0's, then end 1's: ``Move`` rows are sorted by when and frame, and then so
    row: Connection  # of it the words, states and paths are every connection's; not its names, numbers, times and why
    talk: Conversation  # for ``why``, with the two that follow
    opened: Opening
    ended: Ending


@final
class Shapes:
    """Every shape there has been, and what follows it.  Shapes 0 and 1 are empty: by ports, end 0 (1) is the client."""

    __slots__ = ("_after", "_keys", "_numbers", "_resets", "_templates", "_words", "flags", "next")

    def __init__(self) -> None:
        self._words: list[tuple[int, ...]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self._templates: dict[int, Template] = {}
        #: By shape and letter: the shape that follows, NOT_YET or NEVER.
        self.next: NDArray[Any] = np.full((256, RESET), NOT_YET, np.int32)
        self.flags: NDArray[Any] = np.zeros(256, np.uint8)
        self._keys: NDArray[Any] = np.zeros(256, np.int64)
        self._after: NDArray[Any] = np.zeros(256, np.int32)
        self._resets = 0
        for client in first_letters():
            self._add((client,))

    def __len__(self) -> int:
        return len(self._words)

    def word(self, shape: int) -> tuple[int, ...]:
        """Return the word of a shape, by which another process knows it."""
        return self._words[shape]

    def number(self, word: tuple[int, ...]) -> int:
        """Return the shape of a word that ``word`` has given, here or in another process."""
        if word not in self._numbers:
            self._add(word)
        return self._numbers[word]

    def learn(self, shape: int, letter: int) -> int:
        """Find what follows a shape; NEVER where that would not be plain."""
        after = self._following(self._words[shape], letter)
        if letter < RESET:
            self.next[shape, letter] = after
        else:
            self._put(key_of(shape, letter), after)
        return after

    def table(self) -> Table:
        """Return what is known so far, for compiled code."""
        return Table(self.next, self.flags, self._keys, self._after)

    def template(self, shape: int) -> Template:
        """Return what is told of the connections of a shape."""
        if shape not in self._templates:
            self._templates[shape] = _template(self._words[shape])
        return self._templates[shape]

    def _put(self, key: int, after: int) -> None:
        self._resets += 1
        if 2 * self._resets > len(self._keys):
            known = [(key, after) for key, after in zip(self._keys, self._after, strict=True) if key]
            self._keys, self._after = np.zeros(2 * len(self._keys), np.int64), np.zeros(2 * len(self._keys), np.int32)
            for each, what in known:
                at = place(self._keys, each)
                self._keys[at], self._after[at] = each, what
        at = place(self._keys, key)
        self._keys[at], self._after[at] = key, after

    def _following(self, word: tuple[int, ...], letter: int) -> int:
        canonical = Canonical(word)
        before = canonical.key()
        if not canonical.take(letter) or canonical.talk.findings.found:
            return NEVER
        if canonical.key() == before:
            return self._numbers[word]
        longer = (*word, letter)
        if longer not in self._numbers:
            if len(longer) - 1 > MOST_LETTERS or len(self) >= MOST:
                return NEVER
            self._add(longer)
        return self._numbers[longer]

    def _add(self, word: tuple[int, ...]) -> None:
        shape = len(self._words)
        if shape == len(self.flags):
            self.next = np.concatenate((self.next, np.full_like(self.next, NOT_YET)))
            self.flags = np.concatenate((self.flags, np.zeros_like(self.flags)))
        self._words.append(word)
        self._numbers[word] = shape
        if len(word) > 1:
            self.flags[shape] = _flags(Canonical(word))


def _flags(canonical: Canonical) -> int:
    flags = sum(REFUSES << side for side in (0, 1) if canonical.refuses(side))
    flags |= OVER if is_over(canonical.talk) else 0
    return flags if told(canonical.talk).findings else flags | TOLD


def _template(word: tuple[int, ...]) -> Template:
    canonical = Canonical(word)
    talk = canonical.talk
    row = told(talk).connection
    opened = opening(talk)
    ended = ending(talk, opened)
    moves = tuple(
        Stage(
            side,
            step.frame - 1,
            canonical.letter_at(step.when),
            "unknown" if step.source is None else step.source.title,
            "" if step.event is None else step.event.title,
            step.target.title,
            step.known.value,
            step.proof - 1,
        )
        for side, end in enumerate(talk.ends)
        for step in end.machine.steps
    )
    return Template(
        word, opened.client, opened.frame - 1, ended.frame - 1, ended.idle != 0, moves, row, talk, opened, ended
    )
