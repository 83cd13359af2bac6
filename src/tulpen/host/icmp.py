"""What an ICMP message means to a TCP (RFC 9293 §3.9.2.2, RFC 5461), and the echo (RFC 1122 §3.2.2.6)."""

from __future__ import annotations

from errno import ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, ENETUNREACH, ENOPROTOOPT, EOPNOTSUPP, EPROTO
from typing import Final, NamedTuple

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


def meaning(message: Icmp) -> Meaning | None:
    """Return what an error means to the connection it is about; None for what TCP is not to act on."""
    return _MEANINGS.get(message.kind)


def counter(message: Icmp) -> str:
    """Return the counter that a message raises on arrival."""
    return _COUNTERS.get(message.kind, "IcmpInErrors")
