"""What a server says, apart from how it misbehaves: one object a connection, without I/O."""

from __future__ import annotations

from typing import Protocol


class Service(Protocol):
    """The healthy half of a conversation.  Faults count its octets, requests and answers."""

    asked: int  # requests heard in full
    answered: int  # answers of which every octet has been taken
    finished: bool  # nothing more will be said: the connection is to be closed

    def receive(self, data: bytes) -> None:
        """Take octets of the peer's."""

    def eof(self) -> None:
        """The peer will say nothing more."""

    def take(self, limit: int) -> bytes:
        """Return what is to be said next, at most ``limit`` octets; b"" if there is nothing now."""

    def closed(self) -> None:
        """The connection is gone."""
