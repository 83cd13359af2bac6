"""TLS over a tulpen connection: asyncio's own SSLProtocol between the transport and the protocol."""

from __future__ import annotations

import asyncio
from asyncio.sslproto import SSLProtocol
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class Tls:
    """How the connections of one call are encrypted."""

    context: ssl.SSLContext | None  # None: a default one, for a client
    server_side: bool
    server_hostname: str | None = None
    handshake_timeout: float | None = None
    shutdown_timeout: float | None = None

    def wrap(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None,
    ) -> SSLProtocol:
        """Return the protocol that speaks TLS below ``protocol``."""
        make: Any = SSLProtocol
        made: SSLProtocol = make(
            loop,
            protocol,
            self.context,
            waiter,
            self.server_side,
            self.server_hostname,
            ssl_handshake_timeout=self.handshake_timeout,
            ssl_shutdown_timeout=self.shutdown_timeout,
        )
        return made


def client_tls(
    ssl_argument: ssl.SSLContext | bool | None,
    host: str | None,
    server_hostname: str | None,
    handshake_timeout: float | None,
    shutdown_timeout: float | None,
) -> Tls | None:
    """Read create_connection's TLS arguments; ValueError where they contradict each other."""
    if not ssl_argument:
        if server_hostname is not None:
            raise ValueError("server_hostname is only meaningful with ssl")
        _refuse_timeouts(handshake_timeout, shutdown_timeout)
        return None
    if server_hostname is None:
        if not host:
            raise ValueError("You must set server_hostname when using ssl without a host")
        server_hostname = host
    context = None if isinstance(ssl_argument, bool) else ssl_argument
    return Tls(context, False, server_hostname, handshake_timeout, shutdown_timeout)


def server_tls(
    ssl_argument: ssl.SSLContext | None, handshake_timeout: float | None, shutdown_timeout: float | None
) -> Tls | None:
    """Read create_server's TLS arguments."""
    if isinstance(ssl_argument, bool):
        raise TypeError("ssl argument must be an SSLContext or None")
    if ssl_argument is None:
        _refuse_timeouts(handshake_timeout, shutdown_timeout)
        return None
    return Tls(ssl_argument, True, None, handshake_timeout, shutdown_timeout)


def _refuse_timeouts(handshake_timeout: float | None, shutdown_timeout: float | None) -> None:
    if handshake_timeout is not None:
        raise ValueError("ssl_handshake_timeout is only meaningful with ssl")
    if shutdown_timeout is not None:
        raise ValueError("ssl_shutdown_timeout is only meaningful with ssl")
