"""The server that a victim talks to: a listener, and a session for each connection it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.faults.conduct import Conduct
from tulpen.faults.gate import Gate
from tulpen.faults.session import Session
from tulpen.host.listener import Listener
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.faults.fault import Stage
    from tulpen.faults.service import Service
    from tulpen.host.host import Host
    from tulpen.host.socket import Socket


class Server:
    """An application for a tulpen host that serves as its stage says.

    ``service`` makes what is said on one connection; ``gate`` belongs on the path
    between the host and its victim, as the stage's own filter does.
    """

    def __init__(self, port: int, stage: Stage, service: Callable[[], Service]) -> None:
        self.port = port
        self.stage = stage
        self.gate = Gate()
        self.sessions: list[Session] = []
        self._service = service
        self._by_socket: dict[Socket, Session] = {}

    def start(self, host: Host, now: int) -> None:
        """Listen, unless the stage has nobody there."""
        if self.stage.listens:
            options = SocketOptions()
            for name, value in self.stage.options.items():
                setattr(options, name, value)
            host.listen(None, self.port, now, options=options)

    def on(self, handle: Socket | Listener, signal: Signal, host: Host, now: int) -> None:
        """Accept, hear, speak."""
        if isinstance(handle, Listener):
            if self.stage.accepts:
                self._accept(handle, now)
            return
        session = self._by_socket.get(handle)
        if session is None:
            return
        if signal is Signal.CLOSED:
            session.over_now()
            del self._by_socket[handle]
        elif signal is Signal.WRITABLE:
            session.speak(now)
        elif signal in (Signal.READABLE, Signal.EOF):
            session.hear(now)

    def poke(self, now: int) -> None:
        """Let every session go on: a service has more to say, or room to hear more."""
        for session in list(self._by_socket.values()):
            session.hear(now)

    def deadline(self) -> int | None:
        """Return the earliest deadline of a session."""
        times = [when for each in self._by_socket.values() if (when := each.deadline()) is not None]
        return min(times, default=None)

    def timeout(self, now: int) -> None:
        """Wake the sessions whose time has come."""
        for session in list(self._by_socket.values()):
            when = session.deadline()
            if when is not None and when <= now:
                session.timeout(now)

    def _accept(self, listener: Listener, now: int) -> None:
        while (socket := listener.accept()) is not None:
            session = Session(socket, self._service(), self._conduct(), self.gate, self.stage.tally)
            self._by_socket[socket] = session
            self.sessions.append(session)
            session.start(now)

    def _conduct(self) -> Conduct:
        spared = 0 < self.stage.times <= len(self.sessions)
        return Conduct() if spared else self.stage.conduct()
