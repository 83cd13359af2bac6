"""What an incident is made with: machines, their listening doors, and the lines between them.

A ``Machine`` is a host with its programs: tulpen's (``tulpens.py``) or Linux's
(``linux.py``).  Nothing here waits: the ground (``ground.py``) lets time pass.  What goes
wrong is an OSError with the errno that Linux gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from tulpen.host.status import Row
from tulpen.show.ladder_trace import Witness
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple

Value = int | str | bool | tuple[int, ...]


class Line(Protocol):
    """A connection, as its program holds it."""

    left: bytes  # of what was given to connect(), what the SYN did not take along

    @property
    def name(self) -> FourTuple:
        """Both sockets, the own one first."""

    @property
    def state(self) -> State:
        """Where it stands; CLOSED once it is gone."""

    @property
    def error(self) -> int:
        """The errno it ended with, 0 for none."""

    @property
    def readable(self) -> int:
        """Octets that wait to be received."""

    @property
    def unsent(self) -> int:
        """Octets sent or queued that the peer has not acknowledged."""

    @property
    def eof(self) -> bool:
        """Their FIN has come, and all before it has been received."""

    def send(self, data: bytes) -> int:
        """Send; return how many octets were taken."""

    def receive(self, limit: int = 65_536) -> bytes:
        """Receive what is there."""

    def shutdown(self) -> None:
        """Say that nothing more will be sent: the FIN."""

    def close(self) -> None:
        """Let go of it, as close(2)."""

    def abort(self) -> None:
        """Reset it: close(2) with SO_LINGER 0."""

    def set(self, **options: Value) -> None:
        """Set socket options, by Linux's names in small letters."""

    def measure(self) -> Mapping[str, int]:
        """Return cwnd (segments), mss (octets), rtt and rto (microseconds), their wscale, sack; empty if gone."""


class Door(Protocol):
    """A listening socket."""

    @property
    def port(self) -> int:
        """Where it listens."""

    @property
    def waiting(self) -> int:
        """Connections that wait to be accepted (Recv-Q)."""

    def accept(self) -> Line | None:
        """Take the connection that waits longest."""

    def close(self) -> None:
        """Listen no more."""


class Machine(Protocol):
    """A host."""

    @property
    def name(self) -> str:
        """What the story calls it."""

    @property
    def address(self) -> str:
        """Its address."""

    @property
    def kind(self) -> str:
        """What runs on it: tulpen, or Linux with its release."""

    def listen(self, port: int, *, backlog: int = 128, **options: Value) -> Door:
        """Open a passive socket."""

    def connect(
        self, remote: str, port: int, *, local_port: int = 0, data: bytes | None = None, **options: Value
    ) -> Line:
        """Open an active socket; the line tells how it went.  ``data``: by TCP Fast Open."""

    def set(self, **settings: Value) -> None:
        """Set sysctls, by their last name."""

    def get(self, setting: str) -> str:
        """Return a sysctl's value."""

    def rows(self) -> list[Row]:
        """Return every socket, as ``ss -tan`` shows them."""

    def counters(self) -> Counter[str]:
        """Return the MIB, by Linux's names (nstat)."""

    def reboot(self) -> None:
        """Lose power and come back, with the same address and no memory of any connection."""

    def witness(self, line: FourTuple) -> Witness:
        """Return what is known of this end of a connection."""

    def note(self, line: FourTuple, now: int) -> None:
        """Look at a connection's state now, where no trace is kept."""

    def close(self) -> None:
        """End it, with all that it held."""
