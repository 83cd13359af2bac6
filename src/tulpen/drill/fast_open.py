"""TCP Fast Open as Linux's calls have it: MSG_FASTOPEN, and connect() that waits for the first text."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from tulpen.drill.calls_open import begin_connect, until_open
from tulpen.drill.symbols import value_of
from tulpen.drill.world import CallFailed, Waiting, World
from tulpen.host.fast_opening import CLIENT

if TYPE_CHECKING:
    from tulpen.drill.descriptor import TcpFile


def is_asked_for(file: TcpFile, flags: int) -> bool:
    """Say whether text that is sent opens the connection."""
    return bool(flags & (value_of("MSG_FASTOPEN") or 0)) or file.deferred is not None


def open_with_text(
    world: World, file: TcpFile, remote: tuple[bytes, int] | None, length: int, *, waits: bool
) -> Waiting:
    """Open with text beside the SYN; return how much was taken by the time the call goes on."""
    remote = file.deferred or remote
    if not world.settings.tcp_fastopen & CLIENT or (remote is None and file.socket is None):
        raise CallFailed(errno.EOPNOTSUPP)
    if file.socket is None and remote is not None:
        return (yield from _begin(world, file, remote, length, waits=waits))
    if not file.connecting:
        raise CallFailed(errno.EISCONN)
    if file.opening and not waits:
        raise CallFailed(errno.EALREADY)
    yield from _opened(file)
    return 0


def open_by_sendto(world: World, file: TcpFile, remote: tuple[bytes, int], length: int) -> None:
    """FreeBSD's implied connect: by fast open where the socket has TCP_FASTOPEN and the host permits it."""
    fast = file.live_options.tcp_fastopen and world.settings.tcp_fastopen & CLIENT
    begin_connect(world, file, remote, bytes(length) if fast else None)
    socket = file.socket
    assert socket is not None
    socket.send(bytes(length - socket.unacknowledged), world.now)
    world.stage.collect()


def _begin(world: World, file: TcpFile, remote: tuple[bytes, int], length: int, *, waits: bool) -> Waiting:
    file.deferred = None
    begin_connect(world, file, remote, bytes(length))
    socket = file.socket
    assert socket is not None
    taken = socket.unacknowledged
    if not waits:
        if taken:
            return taken
        raise CallFailed(errno.EINPROGRESS)
    taken += socket.send(bytes(length - taken), world.now)  # it follows the handshake's last ACK, or takes its place
    yield from _opened(file)
    return taken


def _opened(file: TcpFile) -> Waiting:
    yield from until_open(file)
    file.connecting = False
    error = file.take_error()
    if error:
        raise CallFailed(error)
    return 0
