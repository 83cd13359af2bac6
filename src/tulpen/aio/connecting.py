"""create_connection: from an address to a transport and its protocol."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, Any, final

from tulpen.aio.failures import as_os_error, os_error
from tulpen.aio.names import SockName, literal, port_number, sock_name
from tulpen.aio.transport import Transport
from tulpen.host.socket import Socket
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal

if TYPE_CHECKING:
    from tulpen.aio.driver import Driver
    from tulpen.aio.tls import Tls


@final
class Connecting:
    """An active open that somebody waits for."""

    __slots__ = ("_socket", "_waiter", "_where")

    def __init__(self, sock: Socket, waiter: asyncio.Future[None], where: SockName) -> None:
        self._socket = sock
        self._waiter = waiter
        self._where = where

    def signal(self, signal: Signal) -> None:
        """Wake who waits: the handshake is done, or the connection has ended before it was."""
        if signal is Signal.CONNECTED:
            if not self._waiter.done():
                self._waiter.set_result(None)
        elif signal is Signal.CLOSED:
            self.fail(os_error(self._socket.error or errno.ECONNABORTED, f"Connect call failed {self._where}"))

    def close(self) -> None:
        """The interface is closing."""
        self.abort()

    def abort(self) -> None:
        """The interface is closing."""
        self.fail(os_error(errno.ENETDOWN, f"Connect call failed {self._where}: the interface is closed"))

    def fail(self, error: OSError) -> None:
        """Wake who waits with an error."""
        if not self._waiter.done():
            self._waiter.set_exception(error)


async def connect_socket(
    driver: Driver,
    host: str | bytes | None,
    port: int | str | None,
    family: int,
    local_addr: tuple[str, int] | None,
    options: SocketOptions | None,
) -> Socket:
    """Open a connection and wait until it is established."""
    remote = literal(host or _LOOPBACK[family == socket.AF_INET6], family)
    number = port_number(port)
    where = sock_name(remote, number)
    local: bytes | None = None
    local_port = 0
    if local_addr is not None:
        local = literal(local_addr[0], family) if local_addr[0] else None
        local_port = port_number(local_addr[1])
    options = SocketOptions(tcp_nodelay=True) if options is None else options.clone()  # nodelay as asyncio has it
    try:
        sock = driver.host.connect(remote, number, driver.now(), local=local, local_port=local_port, options=options)
    except TcpError as error:
        raise as_os_error(error, f"Connect call failed {where}: {error.words}") from None
    waiter: asyncio.Future[None] = driver.loop.create_future()
    driver.serve(sock, Connecting(sock, waiter, where))
    driver.changed()
    try:
        await waiter
    except BaseException:
        driver.drop(sock)
        raise
    return sock


_LOOPBACK = ("127.0.0.1", "::1")


def adopted(sock: Any) -> Socket:
    """Return ``sock`` if it is a connection of a tulpen host."""
    if not isinstance(sock, Socket):
        raise TypeError(f"sock is a tulpen socket here, not {sock!r}: the kernel's cannot run on a tulpen host")
    return sock


async def make_transport(
    driver: Driver, sock: Socket, protocol: asyncio.BaseProtocol, tls: Tls | None
) -> asyncio.Transport:
    """Return the transport of an established connection, its protocol told of it."""
    waiter: asyncio.Future[None] = driver.loop.create_future()
    if tls is None:
        transport = Transport(driver, sock, protocol, waiter=waiter)
        upper: asyncio.Transport = transport
    else:
        wrapped: Any = tls.wrap(driver.loop, protocol, waiter)
        transport = Transport(driver, sock, wrapped)
        upper = wrapped._app_transport if wrapped._app_transport is not None else wrapped._get_app_transport()
    try:
        await waiter
    except BaseException:
        transport.close()
        raise
    return upper
