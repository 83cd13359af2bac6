"""One connection of a server: a socket, the service that speaks on it, and the conduct that spoils it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tulpen.faults.gate import silent
from tulpen.tcp.errors import TcpError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.faults.conduct import Conduct
    from tulpen.faults.gate import Gate, Rule
    from tulpen.faults.service import Service
    from tulpen.faults.tally import Tally
    from tulpen.host.socket import Socket

READ: Final = 65_536
WRITE: Final = 65_536
LOOK: Final = 100_000  # how soon it is asked whether all was acknowledged, and twice as long after each time
LATEST: Final = 5_000_000


class Session:
    """Moves octets between socket and service as far as the conduct lets it."""

    __slots__ = ("_asked", "_deaf", "_finished", "_gate", "_look", "_mute", "_pause", "_unsent",
                 "conduct", "over", "said", "service", "socket", "tally")  # fmt: skip

    def __init__(self, socket: Socket, service: Service, conduct: Conduct, gate: Gate, tally: Tally) -> None:
        self.socket = socket
        self.service = service
        self.conduct = conduct
        self.tally = tally
        self.said = 0  # octets given to the socket
        self.over = False
        self._asked = 0
        self._gate = gate
        self._mute = False  # says nothing more
        self._deaf = False  # hears nothing more
        self._finished = False
        self._unsent = b""  # what the send buffer had no room for
        self._look: int | None = None  # when to ask whether all was acknowledged
        self._pause = LOOK

    def start(self, now: int) -> None:
        """Begin, once the connection is accepted."""
        self.conduct.opened(self, now)
        self.hear(now)

    def hear(self, now: int) -> None:
        """Take what has arrived, and answer."""
        while not (self.over or self._deaf) and self.socket.readable and self.service.room > 0:
            self.service.receive(self.socket.receive(min(READ, self.service.room), now))
            while self._asked < self.service.asked and not self.over:
                self._asked += 1
                self.conduct.asked(self, now)
        if not self.over and not self._deaf and self.socket.eof:
            self._deaf = True
            self.service.eof()
        self.speak(now)

    def speak(self, now: int) -> None:
        """Say what there is to say, as far as the conduct and the send buffer allow."""
        while not (self.over or self._mute):
            allowed = self.conduct.allowance(self, now)
            limit = WRITE if allowed is None else min(WRITE, allowed)
            data = self._unsent or (self.service.take(limit) if limit > 0 else b"")
            if not data:
                break
            try:
                taken = self.socket.send(data, now)
            except TcpError:  # it has been reset, and the signal that says so is under way
                self.over_now()
                return
            self.said += taken
            self._unsent = data[taken:]
            if taken:
                self._look = now
                self._pause = LOOK
            if self._unsent:
                break  # WRITABLE is signalled when there is room again
        self._finish(now)

    def _finish(self, now: int) -> None:
        """Tell the conduct when the service has no more to say; a mute one closes when the peer has."""
        if self.over or self._finished or (self._unsent and not self._mute):
            return
        if self.service.broken:
            self.reset(now)
        elif self._mute:
            if self._deaf:
                self._finished = True
                self.close(now)
        elif self.service.finished and self.service.answered >= self.service.asked and self._may_finish(now):
            self._finished = True
            self.conduct.finished(self, now)

    def _may_finish(self, now: int) -> bool:
        allowed = self.conduct.allowance(self, now)
        return allowed is None or allowed > 0

    def deadline(self) -> int | None:
        """Return when ``timeout`` is to be called."""
        if self.over:
            return None
        asked = (self._look, self.conduct.deadline(), self.service.deadline())
        times = [when for when in asked if when is not None]
        return min(times, default=None)

    def timeout(self, now: int) -> None:
        """Go on after a pause, and see whether all was acknowledged."""
        self.conduct.woken(self, now)
        due = self.service.deadline()
        if due is not None and due <= now and not self.over:
            self.service.timeout(now)
            self._look = now
        if self._look is not None and now >= self._look and not self.over:
            if not self.conduct.follows():
                self._look = None
            elif self.socket.unacknowledged == 0 and not self._unsent:
                self._look = None
                self.conduct.delivered(self, now)
            else:
                self._look = now + self._pause
                self._pause = min(2 * self._pause, LATEST)
        self.speak(now)

    def over_now(self) -> None:
        """The connection is gone."""
        if not self.over:
            self.over = True
            self.service.closed()

    # What a conduct can do.

    def close(self, now: int) -> None:
        """Close, all that has arrived being read: a FIN; what arrives afterwards is answered with a RST."""
        while self.socket.readable:
            self.socket.receive(READ, now)
        self.over_now()
        self._call(self.socket.close, now)

    def end_of_answers(self, now: int) -> None:
        """Send a FIN and go on hearing: a half-close."""
        self._mute = True
        self._call(self.socket.shutdown, now)

    def reset(self, now: int) -> None:
        """Reset the connection."""
        self.over_now()
        self._call(self.socket.abort, now)

    def gate(self, rule: Rule) -> None:
        """Let ``rule`` decide about this connection's segments from now on."""
        self._gate.set(self.socket.name, rule)

    def leave(self, rule: Rule) -> None:
        """Have nothing more to do with the connection; ``rule`` says what becomes of its segments."""
        self.gate(rule)
        self.over_now()

    def vanish(self, now: int) -> None:
        """Be gone without a word."""
        self.leave(silent(self.tally))

    def mute(self, now: int) -> None:
        """Say nothing more, and go on hearing."""
        self._mute = True

    @staticmethod
    def _call(call: Callable[[int], None], now: int) -> None:
        with suppress(TcpError):  # it was gone already
            call(now)
