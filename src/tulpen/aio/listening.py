"""create_server: from addresses to listeners and the server over them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tulpen.aio.failures import os_error
from tulpen.aio.names import literal, port_number, sock_name
from tulpen.aio.views import ListenerView
from tulpen.host.listener import Listener
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError

if TYPE_CHECKING:
    from tulpen.aio.driver import Driver

Hosts = str | bytes | Iterable[str] | None


def listen(
    driver: Driver, hosts: Hosts, port: int | str | None, family: int, backlog: int, options: SocketOptions
) -> list[ListenerView]:
    """Open a listener for each address; none stays open if one fails."""
    views: list[ListenerView] = []
    try:
        for address in _addresses(hosts, family):
            views.append(_listen(driver, address, port_number(port), backlog, options))
    except OSError:
        for view in views:
            driver.stop_listening(view.listener)
        raise
    return views


def _addresses(hosts: Hosts, family: int) -> list[bytes | None]:
    """Return the addresses to listen on, each once; None stands for all of the host's."""
    if hosts is None or hosts in ("", b""):
        return [None]
    if isinstance(hosts, str | bytes):
        hosts = [hosts]  # type: ignore[list-item]
    return list(dict.fromkeys(literal(host, family) for host in hosts))


def _listen(driver: Driver, address: bytes | None, port: int, backlog: int, options: SocketOptions) -> ListenerView:
    try:
        listener = driver.host.listen(address, port, driver.now(), backlog=backlog, options=options)
    except TcpError as error:
        name = sock_name(address or bytes(4), port)
        raise os_error(error.errno, f"error while attempting to bind on address {name!r}: {error.words}") from None
    v6 = len(address) == 16 if address else not any(len(own) == 4 for own in driver.host.addresses)
    return ListenerView(listener, v6=v6)


def adopted_listener(sock: Any) -> ListenerView:
    """Return the view of ``sock`` if it is a listener of a tulpen host."""
    if isinstance(sock, ListenerView):
        return sock
    if not isinstance(sock, Listener):
        raise TypeError(f"sock is a tulpen listener here, not {sock!r}: the kernel's cannot run on a tulpen host")
    return ListenerView(sock, v6=len(sock.address or b"") == 16)
