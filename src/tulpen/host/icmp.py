"""What an ICMP message means to a TCP (RFC 9293 §3.9.2.2, RFC 5461), and the echo (RFC 1122 §3.2.2.6)."""

from __future__ import annotations

from errno import ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, ENETUNREACH, ENOPROTOOPT, EOPNOTSUPP, EPROTO
from typing import Final, NamedTuple

from tulpen.tcp.config import Settings
from tulpen.wire.icmp import Icmp, IcmpKind


class Meaning(NamedTuple):
    """The errno Linux gives, and whether RFC 9293 calls the error hard."""

    error: int
    hard: bool


_MEANINGS: Final[dict[IcmpKind, Meaning]] = {
    IcmpKind.UNREACHABLE_NET: Meaning(ENETUNREACH, hard=False),
    IcmpKind.UNREACHABLE_HOST: Meaning(EHOSTUNREACH, hard=False),
    IcmpKind.UNREACHABLE_PROTOCOL: Meaning(ENOPROTOOPT, hard=True),
    IcmpKind.UNREACHABLE_PORT: Meaning(ECONNREFUSED, hard=True),
    IcmpKind.SOURCE_ROUTE_FAILED: Meaning(EOPNOTSUPP, hard=False),
    IcmpKind.ADMIN_PROHIBITED: Meaning(EHOSTUNREACH, hard=False),
    IcmpKind.PACKET_TOO_BIG: Meaning(EMSGSIZE, hard=False),
    IcmpKind.TIME_EXCEEDED: Meaning(EHOSTUNREACH, hard=False),
    IcmpKind.PARAMETER_PROBLEM: Meaning(EPROTO, hard=False),
    # SOURCE_QUENCH is discarded (MUST-55); a redirect concerns routes, which this host has none of.
}

ANY_CODE: Final = -1

#: What other systems make of an error (tcp_icmp_errors): by kind and code, or by kind alone.
_OTHERWISE: Final[dict[str, dict[tuple[IcmpKind, int], Meaning]]] = {
    "linux": {},
    "freebsd": {
        (IcmpKind.UNREACHABLE_PROTOCOL, ANY_CODE): Meaning(ECONNREFUSED, hard=True),
        (IcmpKind.ADMIN_PROHIBITED, 1): Meaning(ECONNREFUSED, hard=True),  # IPv6
        (IcmpKind.ADMIN_PROHIBITED, 9): Meaning(ECONNREFUSED, hard=True),  # a network
        (IcmpKind.ADMIN_PROHIBITED, 10): Meaning(ECONNREFUSED, hard=True),  # a host
        (IcmpKind.ADMIN_PROHIBITED, 13): Meaning(ECONNREFUSED, hard=True),  # filtered
        (IcmpKind.TIME_EXCEEDED, 0): Meaning(EHOSTUNREACH, hard=True),  # in transit
    },
}

_COUNTERS: Final[dict[IcmpKind, str]] = {
    IcmpKind.ECHO_REQUEST: "IcmpInEchos",
    IcmpKind.ECHO_REPLY: "IcmpInEchoReps",
    IcmpKind.UNREACHABLE_NET: "IcmpInDestUnreachs",
    IcmpKind.UNREACHABLE_HOST: "IcmpInDestUnreachs",
    IcmpKind.UNREACHABLE_PROTOCOL: "IcmpInDestUnreachs",
    IcmpKind.UNREACHABLE_PORT: "IcmpInDestUnreachs",
    IcmpKind.SOURCE_ROUTE_FAILED: "IcmpInDestUnreachs",
    IcmpKind.ADMIN_PROHIBITED: "IcmpInDestUnreachs",
    IcmpKind.PACKET_TOO_BIG: "IcmpInDestUnreachs",
    IcmpKind.TIME_EXCEEDED: "IcmpInTimeExcds",
    IcmpKind.PARAMETER_PROBLEM: "IcmpInParmProbs",
    IcmpKind.SOURCE_QUENCH: "IcmpInSrcQuenchs",
    IcmpKind.REDIRECT: "IcmpInRedirects",
}


#: What ends a listener's half-open connection on other systems: its application has never heard of it (RFC 5461 §4.1).
_FORGETS: Final[dict[str, frozenset[IcmpKind]]] = {
    "linux": frozenset((IcmpKind.UNREACHABLE_NET, IcmpKind.UNREACHABLE_HOST)),
    "freebsd": frozenset(),
}


def forgets(message: Icmp, settings: Settings) -> bool:
    """Say whether a half-open connection of a listener does not survive an error."""
    return message.kind in _FORGETS[settings.tcp_icmp_errors]


def meaning(message: Icmp, settings: Settings) -> Meaning | None:
    """Return what an error means to the connection it is about; None for what TCP is not to act on."""
    found = _MEANINGS.get(message.kind)
    if found is None:
        return None
    otherwise = _OTHERWISE[settings.tcp_icmp_errors]
    found = otherwise.get((message.kind, message.code)) or otherwise.get((message.kind, ANY_CODE)) or found
    return found if settings.tcp_icmp_may_rst else Meaning(found.error, hard=False)


def counter(message: Icmp) -> str:
    """Return the counter that a message raises on arrival."""
    return _COUNTERS.get(message.kind, "IcmpInErrors")
