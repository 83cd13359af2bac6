"""The other end of a private network's link: a tulpen host in a thread, that does what it is told and nothing more."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar

from tulpen.breaker.drive import Drive
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.host.socket import Socket
from tulpen.link.namespace import OUTSIDE, PrivateNetwork
from tulpen.sim.filters import Filter, clear
from tulpen.sim.station import Station
from tulpen.tcp.config import Settings
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import State
from tulpen.wire.ip import Packet

T = TypeVar("T")
ADDRESS = OUTSIDE[0]
MANY = tuple(f"192.0.2.{number}" for number in range(2, 250))


class Far:
    """Listens on port 80; ``reads`` and ``closes`` say what it does with what comes."""

    def __init__(self, network: PrivateNetwork, *, addresses: tuple[str, ...] = OUTSIDE) -> None:
        self.host = Host(addresses, settings=Settings(), secret=b"far")
        self.network = network
        self.path: Filter = clear
        self.reads = True
        self.closes = True
        self.accepted: list[Socket] = []
        self.opened: list[Socket] = []
        self._drive = Drive(network.link, self._on_the_way)
        self._drive.add(Station(self.host, self), *self.host.addresses)
        self._lock = threading.Lock()
        self._leaving = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def connect(self, port: int, number: int = 1, *, source: str | None = None) -> list[Socket]:
        """Connect to the kernel inside; wait until it is established there."""

        def begin(now: int) -> list[Socket]:
            return [self.host.connect("192.0.2.1", port, now, local=source or ADDRESS) for _ in range(number)]

        made = self.do(begin)
        self.opened += made
        return made

    def established(self, made: list[Socket]) -> None:
        """Wait until these are."""
        wait_for(lambda: self.do(lambda now: all(each.state is State.ESTABLISHED for each in made)), "they connect")

    def do(self, deed: Callable[[int], T]) -> T:
        """Do something to the host between its turns."""
        with self._lock:
            done = deed(time.monotonic_ns())
            self._drive.turn()
            return done

    def close_all(self) -> None:
        """Close every connection."""
        self.each([*self.accepted, *self.opened], Socket.close)

    def each(self, sockets: Iterable[Socket], deed: Callable[[Socket, int], object]) -> None:
        """Do something with each of these sockets."""

        def all_of_them(now: int) -> None:
            for socket in list(sockets):
                deed(socket, now)

        self.do(all_of_them)

    def read_on(self) -> None:
        """Read from now on, and what lies there already."""
        self.reads = True
        self.each(self.accepted, lambda socket, now: self.on(socket, Signal.READABLE, self.host, now))

    def start(self, host: Host, now: int) -> None:
        host.listen(None, 80, now, backlog=4096)

    def on(self, handle: Socket | Listener, signal: Signal, host: Host, now: int) -> None:
        if isinstance(handle, Listener):
            while (socket := handle.accept()) is not None:
                self.accepted.append(socket)
            return
        if self.reads and signal in {Signal.READABLE, Signal.EOF}:
            while handle.readable:
                handle.receive(65_536, now)
        if self.closes and signal is Signal.EOF:
            handle.close(now)

    def deadline(self) -> int | None:
        return None

    def timeout(self, now: int) -> None:
        pass

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        self._thread.join()

    def _on_the_way(self, packet: Packet, now: int) -> list[tuple[int, Packet]]:
        return self.path(packet, now)

    def _run(self) -> None:
        while not self._leaving:
            with self._lock:
                self._drive.turn()
                due = self._drive.deadline()
            left = 0.02 if due is None else min(0.02, max(0.0, (due - time.monotonic_ns()) / 1e9))
            select.select([self.network.link.fileno()], [], [], left)


def wait_for(true: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"it never came about that {what}"
        time.sleep(0.02)
