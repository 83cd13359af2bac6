"""A tulpen host on its links, turned by an asyncio event loop.

One wake of the loop takes every packet that is ready, tells the protocols what came of
them, and only then sends, so that one batch is answered with as few segments as it needs.
Where a protocol has not answered itself but may have woken a task, as streams do, sending
waits until the task has run: its answer takes the acknowledgment along.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from tulpen.aio.failures import os_error
from tulpen.aio.routes import Routes
from tulpen.tcp.errors import TcpError
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tulpen.host.host import Host
    from tulpen.host.listener import Listener
    from tulpen.host.socket import Socket
    from tulpen.link.link import Link
    from tulpen.tcp.signals import Signal

SECOND: Final = 1_000_000_000
REST_EVERY: Final = 1.0  # seconds between two looks for connections that may rest
REST_ON: Final = 0.02  # ... while there are some
#: States in which a closed connection still owes its peer something.
UNDELIVERED: Final = frozenset({State.SYN_RECEIVED, State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK})


class Handler(Protocol):
    """Who is told of a socket's signals."""

    def signal(self, signal: Signal) -> None:
        """Take one signal."""

    def close(self) -> None:
        """The interface is closing: end in good order."""

    def abort(self) -> None:
        """The interface is closing now."""

    def fail(self, error: OSError) -> None:
        """The link has failed."""


class Driver:
    """Moves packets between a host and its links, signals to their handlers, and the host's clock."""

    def __init__(
        self,
        host: Host,
        link: Link,
        *,
        routes: Mapping[str, Link] | None = None,
        linger: float = 2.0,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.host = host
        self.now = clock
        self.linger = linger
        self.log = logging.getLogger("tulpen")
        self.after_turn: Callable[[], None] | None = None  # called when a batch is done
        self._routes = Routes(link, routes or {})
        self._loop: asyncio.AbstractEventLoop | None = None
        self._served: dict[Socket | Listener, Handler] = {}
        self._turning = False
        self._turn_due = False
        self._answered = False  # something was written since the batch came
        self._more = False  # callbacks that are due will bring more to send
        self._waited = False  # ... and sending has waited for such before
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._rest_timer: asyncio.TimerHandle | None = None
        self._next_turn: asyncio.Future[None] | None = None

    # on the loop and off it

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop it runs on."""
        if self._loop is None:
            raise RuntimeError("the interface is not open: use 'async with'")
        return self._loop

    def open(self) -> None:
        """Take packets from now on, on the running loop."""
        if self._loop is not None:
            raise RuntimeError("the interface is open already")
        self._loop = asyncio.get_running_loop()
        for link in self._routes.links:
            self._loop.add_reader(link.fileno(), self._readable, link)
        self._rest_timer = self._loop.call_later(REST_EVERY, self._rest)
        self.changed()

    def close(self) -> None:
        """Reset what is open and take the host off its links, at once."""
        loop = self._loop
        if loop is None:
            return
        for handler in tuple(self._served.values()):
            handler.abort()
        now = self.now()
        for sock in tuple(self.host.sockets()):
            with suppress(TcpError):
                sock.abort(now)
        self._transmit()
        for link in self._routes.links:
            loop.remove_reader(link.fileno())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None
        self._loop = None

    async def aclose(self) -> None:
        """Close what is open, let it arrive, then take the host off its links."""
        if self._loop is None:
            return
        for handler in tuple(self._served.values()):
            handler.close()
        await asyncio.sleep(0)  # the connection_lost calls
        try:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._all_delivered(), self.linger)
        finally:
            self.close()

    async def turned(self) -> None:
        """Wait until the next batch is done."""
        if self._next_turn is None or self._next_turn.done():
            self._next_turn = self.loop.create_future()
        await asyncio.shield(self._next_turn)

    async def _all_delivered(self) -> None:
        while self._served or any(sock.state in UNDELIVERED for sock in self.host.sockets()):
            await self.turned()

    # one turn: packets in, signals to protocols, packets out

    def _readable(self, link: Link) -> None:
        now = self.now()
        try:
            batch = link.read()
        except OSError as error:
            self._lose(link, error)
            return
        self.host.batch_arrives(batch, now)
        del batch  # the buffers are the link's again as soon as what came in them is read
        self._answered = False
        if self._deliver() and not self._answered:
            self.changed()
        else:
            self._send()

    def _turn(self) -> None:
        self._deliver()
        self._send()

    def _send(self) -> None:
        """Send everything, tell what that has brought about, and see to the clock."""
        self._transmit()
        while self._deliver():
            self._transmit()
        self._set_timer()
        if self.after_turn is not None:
            self.after_turn()
        if self._next_turn is not None and not self._next_turn.done():
            self._next_turn.set_result(None)

    def _deliver(self) -> bool:
        """Tell what is to be told; say whether there was anything."""
        next_event = self.host.next_event
        event = next_event()
        if event is None:
            return False
        self._turning = True
        try:
            while event is not None:
                handler = self._served.get(event[0])
                if handler is not None:
                    self._tell(handler, event[1])
                event = next_event()
        finally:
            self._turning = False
        return True

    def _tell(self, handler: Handler, signal: Signal) -> None:
        try:
            handler.signal(signal)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # one protocol's failure is not the others'
            self.loop.call_exception_handler({"message": "Exception in a protocol's callback", "exception": error})

    def _transmit(self) -> None:
        send = self._routes.send
        for packet in self.host.packets_to_send(self.now()):
            try:
                send(packet)
            except OSError:
                self.host.stack.count("OutDiscards")

    def changed(self) -> None:
        """Send what a call has made ready, once the callbacks that are due have run."""
        if not (self._turning or self._turn_due):
            self._turn_due = True
            self.loop.call_soon(self._own_turn)

    def written(self) -> None:
        """Send what was written: with the batch that is under way, or once the callbacks that are due have run."""
        self._answered = True
        self.changed()

    def more_to_come(self) -> None:
        """Let what is due to be sent wait for the callbacks that were just scheduled, but not a second time."""
        self._more = True

    def _own_turn(self) -> None:
        waits = self._more and not self._waited and self._loop is not None
        self._more, self._waited = False, waits
        if waits:
            self.loop.call_soon(self._own_turn)
            return
        self._turn_due = False
        if self._loop is not None:
            self._turn()

    def _lose(self, link: Link, error: OSError) -> None:
        """Give up after a link has failed: every connection ends with ENETDOWN."""
        loop = self.loop
        for handler in tuple(self._served.values()):
            handler.fail(os_error(errno.ENETDOWN, f"the link has failed: {error}"))
        loop.call_soon(self.close)

    # the clock

    def _set_timer(self) -> None:
        deadline = self.host.next_deadline()
        if deadline is None or self._loop is None:
            return
        if self._timer is not None:
            if self._timer_at <= deadline:
                return  # it fires early and is set anew then
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_later(max(0, deadline - self.now()) / SECOND, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        now = self.now()
        deadline = self.host.next_deadline()
        if deadline is not None and deadline <= now:
            self.host.timeout(now)
        self._turn()

    def _rest(self) -> None:
        """Let connections rest that have been quiet for long, a few at a time."""
        rested = self.host.rest(self.now())
        self._rest_timer = self.loop.call_later(REST_ON if rested else REST_EVERY, self._rest)

    # who is told of a socket

    def serve(self, sock: Socket | Listener, handler: Handler) -> None:
        """Send the signals of ``sock`` to ``handler``."""
        self._served[sock] = handler

    def release(self, sock: Socket) -> None:
        """Close a connection that nobody listens to any more."""
        self._served.pop(sock, None)
        with suppress(TcpError):  # it may be over already
            sock.close(self.now())
        self._changed_if_open()

    def drop(self, sock: Socket) -> None:
        """Abort a connection that nobody waits for any more."""
        self._served.pop(sock, None)
        with suppress(TcpError):
            sock.abort(self.now())
        self._changed_if_open()

    def stop_listening(self, listener: Listener) -> None:
        """Close a listener; what it has not accepted is reset."""
        self._served.pop(listener, None)
        with suppress(TcpError):
            listener.close(self.now())
        self._changed_if_open()

    def _changed_if_open(self) -> None:
        if self._loop is not None:
            self.changed()
