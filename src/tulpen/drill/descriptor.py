"""What a file descriptor of the script stands for, and when it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, final

from tulpen.tcp.config import SocketOptions
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED, SYN_SENT, State

if TYPE_CHECKING:
    from tulpen.host.listener import Listener
    from tulpen.host.ports import Claim
    from tulpen.host.socket import Socket

IN: Final = 0x1
PRI: Final = 0x2
OUT: Final = 0x4
ERR: Final = 0x8
HUP: Final = 0x10
RDNORM: Final = 0x40
WRNORM: Final = 0x100
RDHUP: Final = 0x2000

_OPENING: Final = (SYN_SENT, SYN_RECEIVED)


@final
class TcpFile:
    """A TCP socket: new, bound, listening or connected."""

    def __init__(self, *, ipv6: bool, nonblocking: bool = False) -> None:
        self.ipv6 = ipv6
        self.nonblocking = nonblocking
        self.options = SocketOptions()
        self.bound: tuple[bytes, int] | None = None
        self.claim: Claim | None = None  # the port that bind() holds, up to listen() or connect()
        self.listener: Listener | None = None
        self.socket: Socket | None = None
        self.extra: dict[str, int] = {}  # options that are kept and mean nothing to the host
        self.deferred: tuple[bytes, int] | None = None  # connect() waits for the first text
        self.connecting = False  # connect() has not yet told how it went
        self.no_reading = False  # shutdown(SHUT_RD)
        self.no_writing = False  # shutdown(SHUT_WR)
        self._rooms = 0
        self._told = 0  # the error that the application already knows

    @property
    def live_options(self) -> SocketOptions:
        """The options that are obeyed."""
        if self.socket is not None:
            return self.socket.options
        return self.listener.options if self.listener is not None else self.options

    @property
    def state(self) -> State:
        """The state of the connection; CLOSED where there is none."""
        if self.socket is not None:
            return self.socket.state
        return self.listener.state if self.listener is not None else CLOSED

    @property
    def pending_error(self) -> int:
        """The errno that the next call will tell; 0 for none."""
        if self.socket is None or self.socket.error == self._told:
            return 0
        return self.socket.error

    def take_error(self) -> int:
        """Return that errno, which is told once."""
        error = self.pending_error
        if error:
            self._told = error
        return error

    @property
    def opening(self) -> bool:
        """Whether connect() is still under way."""
        socket = self.socket
        return socket is not None and socket.state in _OPENING and not (socket.error or socket.talks_early)

    @property
    def at_end(self) -> bool:
        """Whether nothing more will come."""
        socket = self.socket
        if socket is None or socket.readable:
            return False
        return self.no_reading or socket.eof or socket.state is CLOSED

    def fields(self, now: int) -> dict[str, int]:
        """Return struct tcp_info, as far as the host can tell it."""
        from tulpen.drill.tcp_info import fields_of

        return fields_of(self, now)

    def ready(self) -> int:
        """Return the events of poll(2) that hold now."""
        if self.listener is not None:
            return IN | RDNORM if self.listener.recv_q else 0
        socket = self.socket
        if socket is None:
            return OUT | WRNORM | (HUP if self.deferred is None else 0)
        events = 0
        closed = socket.state is CLOSED
        ended = socket.eof or self._has_fin() or self.no_reading or closed
        if closed or (ended and self.no_writing):
            events |= HUP
        if ended:
            events |= IN | RDNORM | RDHUP
        if not self.opening:
            if socket.readable:
                events |= IN | RDNORM
            if self.no_writing or closed or socket.connection.has_room:
                events |= OUT | WRNORM
            if socket.urgent:
                events |= PRI
        if self.pending_error or socket.connection.has_stamps:
            events |= ERR
        return events

    def rooms(self) -> int:
        """Return how often it was told that there is room again, after a write had filled the buffer."""
        while self.socket is not None and (signal := self.socket.next_signal()) is not None:
            self._rooms += signal is Signal.WRITABLE
        return self._rooms

    def _has_fin(self) -> bool:
        """Whether their FIN is there, be there text to be read before it."""
        socket = self.socket
        return socket is not None and socket.state > ESTABLISHED and socket.state.name in _AFTER_FIN


_AFTER_FIN: Final = frozenset(("CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT"))


@final
class Watch:
    """One descriptor in an epoll instance."""

    def __init__(self, file: TcpFile, events: int, data: int) -> None:
        self.file = file
        self.events = events
        self.data = data
        self.disarmed = False  # EPOLLONESHOT has fired
        self.seen = 0  # what held when it was last looked at
        self.arrived = -1  # RCV.NXT then
        self.rooms = 0  # of the file, then


@final
class EpollFile:
    """An epoll instance."""

    def __init__(self) -> None:
        self.watches: dict[int, Watch] = {}

    def fields(self, now: int) -> dict[str, int]:
        """An epoll instance has no struct tcp_info."""
        return {}


class File(Protocol):
    """Whatever a descriptor stands for."""

    def fields(self, now: int) -> dict[str, int]:
        """Return struct tcp_info."""
