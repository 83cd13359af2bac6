"""The functions of asyncio's event loop and streams, on a tulpen host."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Self, TypeVar, final

from tulpen.aio.connecting import adopted, connect_socket, make_transport
from tulpen.aio.driver import Driver
from tulpen.aio.listening import Hosts, adopted_listener, listen
from tulpen.aio.server import Server
from tulpen.aio.streams import LIMIT, ClientConnected, new_reader, new_writer, serving
from tulpen.aio.takeover import taking_over
from tulpen.aio.tls import client_tls, server_tls
from tulpen.tcp.config import SocketOptions

if TYPE_CHECKING:
    import ssl as ssl_module
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from tulpen.host.listener import Listener
    from tulpen.host.socket import Socket

P = TypeVar("P", bound=asyncio.BaseProtocol)

_current: ContextVar[Interface] = ContextVar("tulpen.interface")


def current() -> Interface:
    """Return the interface that the surrounding ``async with`` has opened."""
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError(
            "no tulpen host is on a network here: open one with 'async with tulpen.Interface(host, link)'"
        ) from None


@final
class Interface(Driver):
    """A host on its link; ``async with`` puts it on the running loop and takes it off again.

    Packets leave by ``link``, or by the link that ``routes`` names for the longest prefix that holds
    their destination.  Leaving closes what is open and waits up to ``linger`` seconds until what was
    sent is acknowledged, as a kernel would after the process has gone; what is left then is reset.
    """

    _token: Token[Interface] | None = None

    async def __aenter__(self) -> Self:
        self.open()
        self._token = _current.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            with suppress(ValueError):  # left in another task than it was entered in
                _current.reset(self._token)
            self._token = None
        await self.aclose()

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
        options = SocketOptions(tcp_nodelay=True) if options is None else options.clone()
        options.so_reuseaddr = reuse_address is None or reuse_address
        options.so_reuseport = bool(reuse_port) or options.so_reuseport
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
