"""What IP_MTU_DISCOVER asks for (RFC 1191 §6.1, ip(7)): whether packets may be fragmented, and who is believed."""

from __future__ import annotations

from typing import Final

from tulpen.tcp.config import Settings, SocketOptions

DONT: Final = 0
WANT: Final = 1
DO: Final = 2
PROBE: Final = 3
INTERFACE: Final = 4
OMIT: Final = 5


def mode(options: SocketOptions, settings: Settings) -> int:
    """Return what a socket asks for, or what the host says where it does not."""
    asked = options.ip_mtu_discover
    if asked is None:
        return DONT if settings.ip_no_pmtu_disc else WANT
    return asked


def sends_again(options: SocketOptions, settings: Settings) -> bool:
    """Whether what a router found too large is sent again at once: fragments of it may have got through."""
    return mode(options, settings) != DONT


def ignores_routers(options: SocketOptions) -> bool:
    """Whether only the link's MTU counts."""
    asked = options.ip_mtu_discover
    return asked is not None and asked >= PROBE


def takes_reports(options: SocketOptions) -> bool:
    """Whether a router's report that a packet was too big is looked at."""
    asked = options.ip_mtu_discover
    return asked is None or asked < INTERFACE


def may_fragment(options: SocketOptions, settings: Settings, *, locked: bool) -> bool:
    """Whether packets go without DF."""
    asked = mode(options, settings)
    return locked if asked == WANT else asked not in (DO, PROBE)
