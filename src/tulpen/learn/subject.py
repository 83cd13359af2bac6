"""What can be learnt: anything that takes a letter and answers with a word."""

from __future__ import annotations

from typing import Protocol

#: What a call says that was refused; how is the business of the interface, not of TCP.
REFUSED = "!ERR"


class Subject(Protocol):
    """A TCP under question.  Every query is about a connection of its own."""

    @property
    def name(self) -> str:
        """What it is: ``tulpen 0.1``, ``Linux 6.18.2``."""

    def begin(self) -> None:
        """Start a query: nothing is open, nothing was sent."""

    def step(self, letter: str) -> str:
        """Give one input; return what was sent in reply, and whether a call was refused."""

    def state(self) -> str:
        """Return the connection's state, as RFC 9293 writes it; empty where nobody can tell."""

    def end(self) -> None:
        """End a query, and leave nothing of it behind."""

    def close(self) -> None:
        """Let go of everything."""
