"""ICMP errors that quote a TCP segment (RFC 792, RFC 4443), as a capture has them."""

from __future__ import annotations

from struct import unpack_from
from typing import TYPE_CHECKING, Final

from tulpen.capture.seen import IcmpError

if TYPE_CHECKING:
    from tulpen.capture.frame import Frame

_TCP: Final = 6

_UNREACHABLE: Final = {
    0: ("unreachable", "network unreachable"),
    1: ("unreachable", "host unreachable"),
    2: ("port", "protocol unreachable"),
    3: ("port", "port unreachable"),
    4: ("too-big", "fragmentation needed"),
    5: ("unreachable", "source route failed"),
    9: ("prohibited", "network administratively prohibited"),
    10: ("prohibited", "host administratively prohibited"),
    13: ("prohibited", "communication administratively prohibited"),
}
_UNREACHABLE_6: Final = {
    0: ("unreachable", "no route to the destination"),
    1: ("prohibited", "communication administratively prohibited"),
    3: ("unreachable", "address unreachable"),
    4: ("port", "port unreachable"),
    5: ("prohibited", "source address failed the policy"),
    6: ("prohibited", "route rejected"),
}


def icmp_error(data: bytes, frame: Frame, teller: bytes) -> IcmpError | None:
    """Read an ICMP message; None where it is no error about a segment of TCP."""
    if len(data) < 8:
        return None
    told = _told_4(data) if len(teller) == 4 else _told_6(data)
    quoted = None if told is None else _quoted(data[8:])
    if told is None or quoted is None:
        return None
    kind, words, mtu = told
    src, dst, sport, dport, seq = quoted
    if mtu:
        words += f", MTU {mtu}"
    return IcmpError(frame.number, frame.when, teller, words, kind, src, dst, sport, dport, seq, mtu)


def _told_4(data: bytes) -> tuple[str, str, int] | None:
    kind, code = data[0], data[1]
    if kind == 3:
        name, words = _UNREACHABLE.get(code, ("unreachable", f"destination unreachable, code {code}"))
        return name, words, data[6] << 8 | data[7] if code == 4 else 0
    if kind == 4:
        return "other", "source quench", 0
    if kind == 11:
        return "expired", "time exceeded", 0
    return ("other", "parameter problem", 0) if kind == 12 else None


def _told_6(data: bytes) -> tuple[str, str, int] | None:
    kind, code = data[0], data[1]
    if kind == 1:
        name, words = _UNREACHABLE_6.get(code, ("unreachable", f"destination unreachable, code {code}"))
        return name, words, 0
    if kind == 2:
        return "too-big", "packet too big", int.from_bytes(data[4:8], "big")
    if kind == 3:
        return "expired", "time exceeded", 0
    return ("other", "parameter problem", 0) if kind == 4 else None


def _quoted(data: bytes) -> tuple[bytes, bytes, int, int, int] | None:
    # At least eight octets of the segment are quoted: both ports and the sequence number.
    if not data:
        return None
    if data[0] >> 4 == 4:
        start = (data[0] & 0x0F) * 4
        if len(data) < start + 8 or start < 20 or data[9] != _TCP or data[6] & 0x1F or data[7]:
            return None
        src, dst = data[12:16], data[16:20]
    elif data[0] >> 4 == 6:
        start = 40
        if len(data) < start + 8 or data[6] != _TCP:
            return None
        src, dst = data[8:24], data[24:40]
    else:
        return None
    sport, dport, seq = unpack_from("!HHI", data, start)
    return src, dst, sport, dport, seq
