"""A tulpen host on its links, driven by an asyncio event loop.

One wake of the loop takes every packet that is ready, tells the protocols what came of
them, and only then sends, so that one batch is answered with as few segments as it needs.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from contextlib import suppress
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar, final

from tulpen.aio.connecting import adopted, connect_socket, make_transport
from tulpen.aio.failures import os_error
from tulpen.aio.listening import Hosts, adopted_listener, listen
from tulpen.aio.routes import Routes
from tulpen.aio.server import Server
from tulpen.aio.streams import LIMIT, ClientConnected, new_reader, new_writer, serving
from tulpen.aio.takeover import taking_over
from tulpen.aio.tls import client_tls, server_tls
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.state import State

if TYPE_CHECKING:
    import ssl as ssl_module
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    from tulpen.host.host import Host
    from tulpen.host.listener import Listener
    from tulpen.host.socket import Socket
    from tulpen.link.link import Link
    from tulpen.tcp.signals import Signal

P = TypeVar("P", bound=asyncio.BaseProtocol)

SECOND: Final = 1_000_000_000
#: States in which a closed connection still owes its peer something.
UNDELIVERED: Final = frozenset({State.SYN_RECEIVED, State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK})

_current: ContextVar[Interface] = ContextVar("tulpen.interface")


def current() -> Interface:
    """Return the interface that the surrounding ``async with`` has opened."""
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError(
            "no tulpen host is on a network here: open one with 'async with tulpen.Interface(host, link)'"
        ) from None


class Handler(Protocol):
    """Who is told of a socket's signals."""

    def signal(self, signal: Signal) -> None:
        """Take one signal."""

    def abort(self) -> None:
        """The interface is closing."""

    def fail(self, error: OSError) -> None:
        """The link has failed."""


@final
class Interface:
    """A host on its link; ``async with`` puts it on the running loop and takes it off again.

    Packets leave by ``link``, or by the link that ``routes`` names for the longest prefix that holds
    their destination.  Leaving closes what is open and waits up to ``linger`` seconds until what was
    sent is acknowledged, as a kernel would after the process has gone; what is left then is reset.
    """

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
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._next_turn: asyncio.Future[None] | None = None
        self._token: Token[Interface] | None = None

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
        self.changed()

    def close(self) -> None:
        """Reset what is open and take the host off its links, at once."""
        loop = self._loop
        if loop is None:
            return
        now = self.now()
        for sock in tuple(self.host.sockets()):
            sock.abort(now)
        self._transmit(now)
        for link in self._routes.links:
            loop.remove_reader(link.fileno())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._loop = None

    async def aclose(self) -> None:
        """Close what is open, let it arrive, then take the host off its links."""
        if self._loop is None:
            return
        for handler in tuple(self._served.values()):
            handler.abort()
        await asyncio.sleep(0)  # the connection_lost calls
        try:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._all_delivered(), self.linger)
        finally:
            self.close()

    async def __aenter__(self) -> Self:
        self.open()
        self._token = _current.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
            self._token = None
        await self.aclose()

    async def turned(self) -> None:
        """Wait until the next batch is done."""
        if self._next_turn is None or self._next_turn.done():
            self._next_turn = self.loop.create_future()
        await asyncio.shield(self._next_turn)

    async def _all_delivered(self) -> None:
        while any(sock.state in UNDELIVERED for sock in self.host.sockets()):
            await self.turned()

    # one turn: packets in, signals to protocols, packets out

    def _readable(self, link: Link) -> None:
        now = self.now()
        host = self.host
        try:
            batch = link.read()
        except OSError as error:
            self._lose(link, error)
            return
        for buffer, offload in batch:
            host.bytes_arrive(buffer, now, offload)
        self._turn(now)

    def _turn(self, now: int) -> None:
        self._turning = True
        try:
            self._deliver()
            self._transmit(now)
            while self._deliver():  # what sending has brought about
                self._transmit(now)
        finally:
            self._turning = False
        self._set_timer(now)
        if self.after_turn is not None:
            self.after_turn()
        if self._next_turn is not None and not self._next_turn.done():
            self._next_turn.set_result(None)

    def _deliver(self) -> bool:
        """Tell what is to be told; say whether there was anything."""
        next_event = self.host.next_event
        served = self._served
        told = False
        while (event := next_event()) is not None:
            told = True
            handler = served.get(event[0])
            if handler is None:
                continue
            try:
                handler.signal(event[1])
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # one protocol's failure is not the others'
                self.loop.call_exception_handler({"message": "Exception in a protocol's callback", "exception": error})
        return told

    def _transmit(self, now: int) -> None:
        send = self._routes.send
        for packet in self.host.packets_to_send(now):
            try:
                send(packet)
            except OSError:
                self.host.stack.count("OutDiscards")

    def changed(self) -> None:
        """Send what a call has made ready, once the callbacks that are due have run."""
        if not (self._turning or self._turn_due):
            self._turn_due = True
            self.loop.call_soon(self._own_turn)

    def _own_turn(self) -> None:
        self._turn_due = False
        if self._loop is not None:
            self._turn(self.now())

    def _lose(self, link: Link, error: OSError) -> None:
        """Give up after a link has failed: every connection ends with ENETDOWN."""
        loop = self.loop
        for handler in tuple(self._served.values()):
            handler.fail(os_error(errno.ENETDOWN, f"the link has failed: {error}"))
        loop.call_soon(self.close)

    # the clock

    def _set_timer(self, now: int) -> None:
        deadline = self.host.next_deadline()
        if deadline is None or self._loop is None:
            return
        if self._timer is not None:
            if self._timer_at <= deadline:
                return  # it fires early and is set anew then
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_later(max(0, deadline - now) / SECOND, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        now = self.now()
        deadline = self.host.next_deadline()
        if deadline is not None and deadline <= now:
            self.host.timeout(now)
        self._turn(now)

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

    def taking_over(self) -> AbstractContextManager[None]:
        """Within it asyncio's own functions, and libraries that call them, work on this interface."""
        return taking_over(self)

    # what asyncio's event loop offers

    async def create_connection(
        self,
        protocol_factory: Callable[[], P],
        host: str | None = None,
        port: int | str | None = None,
        *,
        ssl: ssl_module.SSLContext | bool | None = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: Socket | None = None,
        local_addr: tuple[str, int] | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
        options: SocketOptions | None = None,
    ) -> tuple[asyncio.Transport, P]:
        """Connect as ``loop.create_connection`` does; ``host`` is an IP address, ``sock`` a tulpen socket.

        A literal is one address, so what chooses between several has nothing to do.  ``options`` are
        tulpen's own: the socket options to connect with.
        """
        tls = client_tls(ssl, host, server_hostname, ssl_handshake_timeout, ssl_shutdown_timeout)
        if sock is None:
            if host is None and port is None:
                raise ValueError("host and port was not specified and no sock specified")
            try:
                sock = await connect_socket(self, host, port, family, local_addr, options)
            except OSError as error:
                if all_errors:
                    raise ExceptionGroup("create_connection failed", [error]) from None
                raise
        elif host is not None or port is not None:
            raise ValueError("host/port and sock can not be specified at the same time")
        sock = adopted(sock)
        try:
            protocol = protocol_factory()
            return await make_transport(self, sock, protocol, tls), protocol
        except BaseException:
            self.release(sock)
            raise

    async def create_server(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: Hosts = None,
        port: int | str | None = None,
        *,
        family: int = socket.AF_UNSPEC,
        flags: int = socket.AI_PASSIVE,
        sock: Listener | None = None,
        backlog: int = 100,
        ssl: ssl_module.SSLContext | None = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
        options: SocketOptions | None = None,
    ) -> Server:
        """Listen as ``loop.create_server`` does; ``host`` is one or more IP addresses, or None for all.

        With ``start_serving`` false connections are taken into the accept queue, and none is answered
        until the server starts.
        """
        tls = server_tls(ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        if reuse_port:
            raise ValueError("a tulpen host has one process: reuse_port is not supported")
        options = SocketOptions(tcp_nodelay=True) if options is None else options.clone()
        options.so_reuseaddr = reuse_address is None or reuse_address
        options.so_keepalive = keep_alive
        if sock is not None:
            if host is not None or port is not None:
                raise ValueError("host/port and sock can not be specified at the same time")
            views = [adopted_listener(sock)]
        elif host is None and port is None:
            raise ValueError("Neither host/port nor sock were specified")
        else:
            views = listen(self, host, port, family, backlog, options)
        server = Server(self, views, protocol_factory, tls)
        if start_serving:
            await server.start_serving()
        return server

    async def open_connection(
        self, host: str | None = None, port: int | str | None = None, *, limit: int = LIMIT, **kwds: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect as ``asyncio.open_connection`` does."""
        reader, protocol = new_reader(self.loop, limit)
        transport, _ = await self.create_connection(lambda: protocol, host, port, **kwds)
        return reader, new_writer(self.loop, transport, protocol, reader)

    async def start_server(
        self,
        client_connected_cb: ClientConnected,
        host: Hosts = None,
        port: int | str | None = None,
        *,
        limit: int = LIMIT,
        **kwds: Any,
    ) -> Server:
        """Listen as ``asyncio.start_server`` does."""
        return await self.create_server(serving(self.loop, client_connected_cb, limit), host, port, **kwds)
