"""Many clients of one server on one tulpen host, all with the same bad manners."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tulpen.host.host import Host
from tulpen.host.socket import Socket
from tulpen.sim.station import Station
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal

if TYPE_CHECKING:
    from tulpen.faults.bad_client import Target, Values
    from tulpen.host.listener import Listener
    from tulpen.wire.ip import Packet

SECOND: Final = 1_000_000_000
READ: Final = 65_536


class Guest:
    """One connection of a crowd.  This one connects, reads what it is told, and closes when it leaves."""

    __slots__ = ("due", "socket", "target")

    def __init__(self, socket: Socket, target: Target) -> None:
        self.socket = socket
        self.target = target
        self.due: int | None = None  # when ``act`` is to be called

    def connected(self, now: int) -> None:
        """The handshake is done."""

    def act(self, now: int) -> None:
        """The time that was set has come."""

    def heard(self, now: int) -> None:
        """The server has said something, or closed."""
        while self.socket.readable:
            self.socket.receive(READ, now)
        if self.socket.eof:
            self.socket.close(now)

    def leave(self, now: int) -> None:
        """Go."""
        self.socket.close(now)

    def say(self, octets: bytes, now: int) -> None:
        """Send, as far as there is room."""
        with suppress(TcpError):
            self.socket.send(octets, now)


class Crowd:
    """An application that opens connections at a rate and gives each to a guest."""

    def __init__(
        self,
        target: Target,
        guest: Callable[[Socket, Target], Guest],
        values: Values,
        *,
        options: SocketOptions | None = None,
        endless: bool = False,
    ) -> None:
        self.target = target
        self.opened = 0
        self._guest = guest
        self._most = 0 if endless else int(values["clients"])
        self._gap = int(SECOND / max(values["rate"], 0.001))
        self._options = options if options is not None else SocketOptions()
        self._guests: dict[Socket, Guest] = {}
        self._next: int | None = None
        self._host: Host | None = None

    def start(self, host: Host, now: int) -> None:
        """Begin to connect."""
        self._host = host
        self._next = now

    def leave(self, now: int) -> None:
        """Connect no more; every guest goes."""
        self._next = None
        for guest in list(self._guests.values()):
            with suppress(TcpError):
                guest.leave(now)

    def on(self, handle: Socket | Listener, signal: Signal, host: Host, now: int) -> None:
        """Pass it to the guest."""
        guest = self._guests.get(handle) if isinstance(handle, Socket) else None
        if guest is None:
            return
        if signal is Signal.CONNECTED:
            guest.connected(now)
        elif signal in (Signal.READABLE, Signal.EOF):
            guest.heard(now)
        elif signal is Signal.CLOSED:
            self._guests.pop(guest.socket, None)

    def deadline(self) -> int | None:
        """Return when to connect, or a guest's time."""
        times = [guest.due for guest in self._guests.values() if guest.due is not None]
        return min([*times, *([] if self._next is None else [self._next])], default=None)

    def timeout(self, now: int) -> None:
        """Connect, and let guests act."""
        while self._next is not None and self._next <= now:
            self._open(now)
            self._next = None if self._most and self.opened >= self._most else self._next + self._gap
        for guest in list(self._guests.values()):
            if guest.due is not None and guest.due <= now:
                guest.due = None
                guest.act(now)

    def _open(self, now: int) -> None:
        assert self._host is not None
        self.opened += 1
        with suppress(TcpError):  # no port is free
            socket = self._host.connect(self.target.address, self.target.port, now, options=self._options.clone())
            self._guests[socket] = self._guest(socket, self.target)


class CrowdVisit:
    """A crowd on a host of its own, as an endpoint."""

    def __init__(self, crowd: Crowd, settings: Settings | None = None) -> None:
        self.crowd = crowd
        secret = crowd.target.chance.split("bad clients").octets(16)
        # Short, so that ports come back soon: a crowd wants many.
        settings = settings if settings is not None else Settings(tcp_timewait_len=1)
        self.host = Host([crowd.target.home], settings=settings, secret=secret)
        self._station = Station(self.host, crowd)

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """The crowd's address."""
        return self.host.addresses

    @property
    def opened(self) -> int:
        """Connections that it has made, or tried to."""
        return self.crowd.opened

    def leave(self, now: int) -> None:
        """Every guest goes."""
        self.crowd.leave(now)

    def packet_arrives(self, packet: Packet, now: int) -> None:
        """Take a packet."""
        self._station.packet_arrives(packet, now)

    def timeout(self, now: int) -> None:
        """Do what is due."""
        self._station.timeout(now)

    def packets_to_send(self, now: int) -> list[Packet]:
        """Give the packets that are to go out."""
        return self._station.packets_to_send(now)

    def next_deadline(self) -> int | None:
        """Say when ``timeout`` is to be called."""
        return self._station.next_deadline()
