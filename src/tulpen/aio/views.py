"""What ``get_extra_info("socket")`` and ``Server.sockets`` show: a tulpen socket with the socket module's methods.

Libraries read names and set options through it.  It is no file descriptor, and what
would disturb the transport is not there, as with asyncio's own TransportSocket.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, final

from tulpen.aio.failures import as_os_error, os_error
from tulpen.aio.names import SockName, family_of, local_name, peer_name, sock_name
from tulpen.aio.sockopt import KEEPIDLE, RELEASING, TCP_CONGESTION, TCP_WINDOW_CLAMP, get_option, set_option
from tulpen.tcp.errors import TcpError

if TYPE_CHECKING:
    from tulpen.aio.driver import Driver
    from tulpen.host.listener import Listener
    from tulpen.host.socket import Socket


class _View:
    """What a connected and a listening socket have in common."""

    __slots__ = ()

    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def fileno(self) -> int:
        """There is no descriptor: -1."""
        return -1

    def gettimeout(self) -> float:
        """Sockets under a transport never block."""
        return 0.0

    def settimeout(self, value: float | None) -> None:
        """Take 0, the only timeout there is."""
        if value != 0:
            raise ValueError("settimeout(): only 0 timeout is allowed on transport sockets")

    def setblocking(self, flag: bool) -> None:
        """Take False."""
        if flag:
            raise ValueError("setblocking(): transport sockets cannot be blocking")


@final
class SocketView(_View):
    """One connection."""

    __slots__ = ("_driver", "_socket")

    def __init__(self, driver: Driver, sock: Socket) -> None:
        self._driver = driver
        self._socket = sock

    def __repr__(self) -> str:
        return f"<tulpen socket laddr={self.getsockname()}, raddr={self.getpeername()}, {self._socket.state.title}>"

    @property
    def family(self) -> socket.AddressFamily:
        """AF_INET or AF_INET6."""
        return family_of(self._socket.name.local)

    def getsockname(self) -> SockName:
        """Return our end."""
        return local_name(self._socket.name)

    def getpeername(self) -> SockName:
        """Return their end."""
        return peer_name(self._socket.name)

    def getsockopt(self, level: int, name: int, size: int = 0) -> int | bytes:
        """Return an option; SO_ERROR is the error that ended the connection."""
        if (level, name) == (socket.SOL_SOCKET, socket.SO_ERROR):
            return self._socket.error
        return get_option(self._socket.options, level, name, size)

    def setsockopt(self, level: int, name: int, value: int | bytes) -> None:
        """Set an option of the running connection."""
        sock = self._socket
        if (level, name) == (socket.IPPROTO_TCP, TCP_CONGESTION):
            raise os_error(errno.EISCONN, "congestion control is chosen with the connection's first options")
        set_option(sock.options, level, name, value)
        now = self._driver.now()
        if (level, name) in ((socket.SOL_SOCKET, socket.SO_RCVBUF), (socket.IPPROTO_TCP, TCP_WINDOW_CLAMP)):
            sock.receive_options_changed()
        if (level, name) == (socket.SOL_SOCKET, socket.SO_KEEPALIVE):
            sock.set_keepalive(bool(sock.options.so_keepalive), now)
        if (level, name) == (socket.IPPROTO_TCP, KEEPIDLE):
            sock.keepidle_changed(now)
        if (level, name) in RELEASING:
            sock.options_changed(now)
        self._driver.changed()

    def shutdown(self, how: int) -> None:
        """Send our FIN; reading cannot be shut down apart from closing."""
        if how == socket.SHUT_RD:
            return
        try:
            self._socket.shutdown(self._driver.now())
        except TcpError as error:
            raise as_os_error(error) from None
        self._driver.changed()


@final
class ListenerView(_View):
    """One listening socket."""

    __slots__ = ("_listener", "_v6")

    def __init__(self, listener: Listener, *, v6: bool) -> None:
        self._listener = listener
        self._v6 = v6

    def __repr__(self) -> str:
        return f"<tulpen listening socket laddr={self.getsockname()}>"

    @property
    def listener(self) -> Listener:
        """The host's own object, with the depth of its queues."""
        return self._listener

    @property
    def family(self) -> socket.AddressFamily:
        """AF_INET or AF_INET6."""
        return socket.AF_INET6 if self._v6 else socket.AF_INET

    def getsockname(self) -> SockName:
        """Return the address and port it listens on; the unspecified address stands for all of the host's."""
        return sock_name(self._listener.address or bytes(16 if self._v6 else 4), self._listener.port)

    def getpeername(self) -> SockName:
        """A listener has no peer: OSError ENOTCONN."""
        raise os_error(errno.ENOTCONN)

    def getsockopt(self, level: int, name: int, size: int = 0) -> int | bytes:
        """Return an option that its connections start with."""
        return get_option(self._listener.options, level, name, size)

    def setsockopt(self, level: int, name: int, value: int | bytes) -> None:
        """Set an option that its next connections start with."""
        set_option(self._listener.options, level, name, value)
