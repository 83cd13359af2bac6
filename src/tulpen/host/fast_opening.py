"""The client's side of TCP Fast Open (RFC 7413 §4.1.3, §4.2.1): whether a SYN takes text along, and how much."""

from __future__ import annotations

from errno import EOPNOTSUPP
from typing import TYPE_CHECKING, Final

from tulpen.tcp.errors import TcpError
from tulpen.tcp.fast_open_state import FastOpen

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.tcp.config import SocketOptions
    from tulpen.tcp.trace import FourTuple

CLIENT: Final = 0x1  # bits of tcp_fastopen
NO_COOKIE: Final = 0x4
OPTIONS_ROOM: Final = 40  # left free beside the text, for what middleboxes may put in


def check_enabled(core: Core) -> None:
    """EOPNOTSUPP where the host does not open connections so."""
    if not core.stack.settings.tcp_fastopen & CLIENT:
        raise TcpError(EOPNOTSUPP, "fast open is not enabled")


def takes_text(core: Core, local: bytes, remote: bytes, options: SocketOptions, now: int) -> bool:
    """Say whether a SYN to ``remote`` would take text along: there is a cookie, or none is needed."""
    if core.stack.fast_open_paused(now) or _has_refused(core, local, remote):
        return False
    return _needs_no_cookie(core, options) or bool(core.metrics.known(local, remote).cookie)


def prepare(core: Core, name: FourTuple, mss: int, options: SocketOptions, now: int) -> FastOpen:
    """Return what a connection opened so begins with; ``mss``: of the path, and no more than we would take."""
    known = core.metrics.known(name.local, name.remote)
    paused = core.stack.fast_open_paused(now) or _has_refused(core, name.local, name.remote)
    text = takes_text(core, name.local, name.remote, options, now)
    room = max(0, min(known.mss or mss, mss) - OPTIONS_ROOM) if text else 0
    cookie: bytes | None = known.cookie
    if paused or _needs_no_cookie(core, options):
        cookie = None
    trial = core.stack.fast_open_on_trial and not paused
    return FastOpen(cookie=cookie, experimental=known.asks_experimental, room=room, trial=trial)


def _has_refused(core: Core, local: bytes, remote: bytes) -> bool:
    return core.stack.settings.tcp_fastopen_negative and core.metrics.known(local, remote).refused


def _needs_no_cookie(core: Core, options: SocketOptions) -> bool:
    return bool(core.stack.settings.tcp_fastopen & NO_COOKIE) or options.tcp_fastopen_no_cookie
