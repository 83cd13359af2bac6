"""Which sockets are meant: the words that users of ss type (ss(8), FILTER), and a few more.

::

    selection  := { state NAME ... | exclude NAME ... } [ expression ]
    expression := predicates joined by and, or, not and parentheses; two side by side mean and
    predicate  := sport|dport [= != < <= > >=] [:]PORT|SERVICE
                | src|dst [= !=] ADDRESS[/BITS][:PORT] | src|dst [= !=] :PORT
                | process|pid|user|inode|dev [= !=] VALUE

The states go to the kernel; the rest becomes one function of a socket's row in a view.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, final

from tulpen.errors import TulpenError
from tulpen.kernel.predicates import HOSTS, OTHERS, PORTS, PROCESSES, Maker, Test, host, other, port
from tulpen.kernel.state_names import state_bits
from tulpen.kernel.view import View

_TOKEN: Final = re.compile(r"\[[^\]]*\][^\s()=!<>&|]*|\(|\)|&&?|\|\|?|==|!=|<=|>=|[=<>!]|[^\s()=!<>&|]+")
_OPERATORS: Final = {
    "=": "=", "==": "=", "eq": "=", "!=": "!=", "ne": "!=", "neq": "!=", "<": "<", "lt": "<", "<=": "<=", "le": "<=",
    "leq": "<=", ">": ">", "gt": ">", ">=": ">=", "ge": ">=", "geq": ">=",
}  # fmt: skip
_AND: Final = frozenset({"and", "&", "&&"})
_OR: Final = frozenset({"or", "|", "||"})
_NOT: Final = frozenset({"not", "!"})
_SUBJECTS: Final = (*PORTS, *HOSTS, *OTHERS, *PROCESSES)
_REMEDY: Final = "for example: state close-wait, dport = :443, dst 10.0.0.0/8, process = nginx, ( A or B ) and not C"


class Selection(NamedTuple):
    """What was asked for."""

    states: int | None  # a bit each, by the kernel's numbers; None: nothing was said
    maker: Maker | None  # None: every socket in these states
    processes: bool  # whether it asks who holds the socket


def selection(words: Sequence[str]) -> Selection:
    """Read a selection; TulpenError says what is wrong with it."""
    try:
        return _Reader(_TOKEN.findall(" ".join(words))).selection()
    except RecursionError:
        raise _wrong("too many parentheses") from None


@final
class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._processes = False

    def selection(self) -> Selection:
        states = self._states()
        maker = self._any_of() if self._peek() else None
        if self._peek():
            raise _wrong(f"nothing can follow here: {self._peek()!r}")
        return Selection(states, maker, self._processes)

    def _states(self) -> int | None:
        wanted = unwanted = 0
        while self._peek() in ("state", "exclude"):
            verb = self._next()
            if not self._peek():
                raise _wrong(f"{verb} takes the name of a state")
            bits = state_bits(self._next())
            while self._peek() and (more := state_bits(self._peek(), strict=False)):
                bits |= more
                self._next()
            if verb == "state":
                wanted |= bits
            else:
                unwanted |= bits
        if not wanted and not unwanted:
            return None
        return (wanted or state_bits("all")) & ~unwanted

    def _any_of(self) -> Maker:
        makers = [self._all_of()]
        while self._peek() in _OR:
            self._next()
            makers.append(self._all_of())
        return _either(makers) if len(makers) > 1 else makers[0]

    def _all_of(self) -> Maker:
        makers = [self._one()]
        while self._peek() not in (*_OR, ")", ""):
            if self._peek() in _AND:
                self._next()
            makers.append(self._one())
        return _both(makers) if len(makers) > 1 else makers[0]

    def _one(self) -> Maker:
        token = self._next()
        if token in _NOT:
            return _not(self._one())
        if token == "(":
            inner = self._any_of()
            if self._next() != ")":
                raise _wrong("a parenthesis is not closed")
            return inner
        return self._predicate(token)

    def _predicate(self, subject: str) -> Maker:
        if subject not in _SUBJECTS:
            raise _wrong(f"{subject!r} is no word of a filter" if subject else "the filter ends too early")
        operator = _OPERATORS.get(self._peek(), "")
        if operator:
            self._next()
        value = self._next()
        if not value or value in "()":
            raise _wrong(f"{subject} takes a value")
        if subject in PORTS:
            return port(subject, operator or "=", value)
        if operator not in ("", "=", "!="):
            raise _wrong(f"{subject} takes = or !=, not {operator}")
        self._processes = self._processes or subject in PROCESSES
        maker = host(subject, value) if subject in HOSTS else other(subject, value)
        return _not(maker) if operator == "!=" else maker

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token


def _either(makers: Sequence[Maker]) -> Maker:
    def make(view: View) -> Test:
        tests = [maker(view) for maker in makers]
        return lambda row: any(test(row) for test in tests)

    return make


def _both(makers: Sequence[Maker]) -> Maker:
    def make(view: View) -> Test:
        tests = [maker(view) for maker in makers]
        return lambda row: all(test(row) for test in tests)

    return make


def _not(maker: Maker) -> Maker:
    def make(view: View) -> Test:
        test = maker(view)
        return lambda row: not test(row)

    return make


def _wrong(words: str) -> TulpenError:
    return TulpenError(f"filter: {words}", _REMEDY)
