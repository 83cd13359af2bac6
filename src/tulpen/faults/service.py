"""What a server says, apart from how it misbehaves: one object a connection, without I/O."""

from __future__ import annotations

from typing import Protocol


class Service(Protocol):
    """The healthy half of a conversation.  Faults count its octets, requests and answers."""

    @property
    def asked(self) -> int:
        """Requests heard in full."""

    @property
    def answered(self) -> int:
        """Answers of which every octet has been taken."""

    @property
    def finished(self) -> bool:
        """Nothing more will be said: the connection is to be closed."""

    @property
    def broken(self) -> bool:
        """Nothing more can be said: the connection is to be reset."""

    @property
    def room(self) -> int:
        """Octets that may be received now."""

    def receive(self, data: bytes | memoryview) -> None:
        """Take octets of the peer's."""

    def eof(self) -> None:
        """The peer will say nothing more."""

    def take(self, limit: int) -> bytes:
        """Return what is to be said next, at most ``limit`` octets; b"" if there is nothing now."""

    def closed(self) -> None:
        """The connection is gone."""

    def deadline(self) -> int | None:
        """Return when ``timeout`` is to be called."""

    def timeout(self, now: int) -> None:
        """The deadline has come."""
