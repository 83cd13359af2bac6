"""A passive open: two queues, and their limits as Linux counts them (listen(2), RFC 4987)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from tulpen.host.fast_listening import FastOpens
from tulpen.host.settling import stir, stop_listening
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, LISTEN, State
from tulpen.wire.address import text

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.host.ports import Claim
    from tulpen.host.socket import Socket
    from tulpen.tcp.config import SocketOptions


@final
class Listener:
    """What listen() gives.  ``recv_q`` and ``send_q`` are the columns of ``ss -lnt``."""

    __slots__ = (
        "_core", "_news", "_waiting", "backlog", "claim", "cookies_sent_at", "fast_opens", "open", "options", "stirred",
        "syn_queue", "young",
    )  # fmt: skip

    def __init__(self, core: Core, claim: Claim, backlog: int, options: SocketOptions) -> None:
        self._core = core
        self.claim = claim
        self.backlog = backlog
        self.options = options  # its connections begin with a copy
        self.open = True
        self.stirred = False
        self.syn_queue = 0  # half-open connections
        self.young = 0  # those of them whose SYN,ACK was sent once
        self.cookies_sent_at: int | None = None  # when the SYN queue last overflowed into cookies
        self.fast_opens = FastOpens()
        self._waiting: deque[Socket] = deque()  # the accept queue
        self._news = 0  # connections that the application was not told of

    def __repr__(self) -> str:
        where = "*" if self.address is None else text(self.address)
        return f"<Listener {where}.{self.port} {self.recv_q}/{self.send_q}>"

    @property
    def address(self) -> bytes | None:
        """The local address; 0.0.0.0 or :: for all of one family, None for all."""
        return self.claim.address or None

    @property
    def port(self) -> int:
        """The local port."""
        return self.claim.port

    @property
    def state(self) -> State:
        """LISTEN, until it is closed."""
        return LISTEN if self.open else CLOSED

    @property
    def recv_q(self) -> int:
        """Connections that wait to be accepted."""
        return len(self._waiting)

    @property
    def send_q(self) -> int:
        """The backlog: one more than this may wait."""
        return self.backlog

    @property
    def full(self) -> bool:
        """Whether the accept queue takes no more."""
        return len(self._waiting) > self.backlog

    @property
    def syn_queue_full(self) -> bool:
        """Whether the SYN queue takes no more."""
        return self.syn_queue > self.backlog

    def patience(self, retries: int) -> int:
        """Return how often a SYN,ACK is sent again: less often while old entries fill the SYN queue, as on Linux."""
        if self.syn_queue * 2 > max(8, self.backlog):
            young = self.young * 2
            while retries > 2 and self.syn_queue >= young:
                retries -= 1
                young *= 2
        return retries

    def accept(self) -> Socket | None:
        """Return the connection that has waited longest; None if none waits."""
        if not self._waiting:
            return None
        socket = self._waiting.popleft()
        socket.accepted = True
        socket.connection.adopt()
        stir(self._core, socket)  # what happened to it meanwhile is told now
        return socket

    def completed(self, socket: Socket) -> None:
        """Take a connection into the accept queue."""
        self._waiting.append(socket)
        self._news += 1
        stir(self._core, self)

    def next_signal(self) -> Signal | None:
        """READABLE, once for each connection that came and still waits."""
        self._news = min(self._news, len(self._waiting))
        if not self._news:
            return None
        self._news -= 1
        return Signal.READABLE

    def close(self, now: int) -> None:
        """CLOSE in LISTEN (RFC 9293 §3.10.4): half-open connections are forgotten, waiting ones reset."""
        if not self.open:
            return
        self.open = False
        stop_listening(self._core, self, now)
        while self._waiting:
            socket = self._waiting.popleft()
            socket.released = True
            if socket.state is not CLOSED:
                socket.abort(now)
