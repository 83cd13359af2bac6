"""A listening server, as ``asyncio.Server``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, final

from tulpen.aio.tls import Tls
from tulpen.aio.transport import Transport
from tulpen.tcp.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tulpen.aio.driver import Driver
    from tulpen.aio.views import ListenerView
    from tulpen.host.listener import Listener
    from tulpen.host.socket import Socket


@final
class Server(asyncio.AbstractServer):
    """Listeners of a tulpen host whose connections are served by protocols of one factory."""

    def __init__(
        self,
        driver: Driver,
        sockets: Sequence[ListenerView],
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        tls: Tls | None,
    ) -> None:
        self._driver = driver
        self._sockets: tuple[ListenerView, ...] | None = tuple(sockets)
        self._factory = protocol_factory
        self._tls = tls
        self._clients: set[Transport] = set()
        self._waiters: list[asyncio.Future[None]] | None = []
        self._serving = False
        self._forever: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<tulpen server sockets={self.sockets!r}>"

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop it runs on."""
        return self._driver.loop

    def is_serving(self) -> bool:
        """Say whether it accepts connections."""
        return self._serving

    @property
    def sockets(self) -> tuple[ListenerView, ...]:
        """What it listens on; empty once closed."""
        return self._sockets or ()

    # accepting

    def serve_now(self) -> None:
        """Accept from now on, what already waits included."""
        if self._serving or self._sockets is None:
            return
        self._serving = True
        for view in self._sockets:
            self._driver.serve(view.listener, self)
            self._accept(view.listener)

    def signal(self, signal: Signal) -> None:
        """Accept what waits, whichever listener has told of it."""
        if signal is Signal.READABLE:
            for view in self.sockets:
                self._accept(view.listener)

    def _accept(self, listener: Listener) -> None:
        while self._serving:
            sock = listener.accept()
            if sock is None:
                return
            self._welcome(sock)

    def _welcome(self, sock: Socket) -> None:
        try:
            protocol = self._factory()
            if self._tls is not None:
                protocol = self._tls.wrap(self._driver.loop, protocol, None)
            Transport(self._driver, sock, protocol, server=self)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._driver.release(sock)
            message = "Error on transport creation for incoming connection"
            self._driver.loop.call_exception_handler({"message": message, "exception": error})

    def attach(self, transport: Transport) -> None:
        """Count a connection in."""
        self._clients.add(transport)

    def detach(self, transport: Transport) -> None:
        """Count a connection out."""
        self._clients.discard(transport)
        if not self._clients and self._sockets is None:
            self._wake()

    # asyncio.Server

    async def start_serving(self) -> None:
        """Start accepting; nothing if it does already."""
        self.serve_now()
        await asyncio.sleep(0)

    async def serve_forever(self) -> None:
        """Accept until cancelled, then close."""
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        if self._sockets is None:
            raise RuntimeError(f"server {self!r} is closed")
        self.serve_now()
        self._forever = self._driver.loop.create_future()
        try:
            await self._forever
        except asyncio.CancelledError:
            try:
                self.close()
                await self.wait_closed()
            finally:
                raise
        finally:
            self._forever = None

    def close(self) -> None:
        """Stop listening; connections that are open stay open."""
        sockets = self._sockets
        if sockets is None:
            return
        self._sockets = None
        self._serving = False
        for view in sockets:
            self._driver.stop_listening(view.listener)
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
            self._forever = None
        if not self._clients:
            self._wake()

    def abort(self) -> None:
        """Close, because the interface does."""
        self.close()

    def fail(self, error: OSError) -> None:
        """Close, because the link has failed."""
        self.close()

    def close_clients(self) -> None:
        """Close every open connection of this server."""
        for transport in tuple(self._clients):
            transport.close()

    def abort_clients(self) -> None:
        """Close every open connection of this server at once."""
        for transport in tuple(self._clients):
            transport.abort()

    async def wait_closed(self) -> None:
        """Wait until it is closed and its last connection has ended, as asyncio does since Python 3.12."""
        if self._waiters is None:
            return
        waiter = self._driver.loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters or (), None
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
