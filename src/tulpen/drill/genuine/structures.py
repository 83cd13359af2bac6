"""Structures of C, as system calls take and give them on this machine."""

from __future__ import annotations

import errno
from struct import Struct, error
from typing import TYPE_CHECKING, Final

from tulpen.drill.calls_error import ORIGIN_TIMESTAMPING, SECOND
from tulpen.drill.expression import Applied, Expression, Field, Number, Text, Word
from tulpen.drill.expression import Struct as Members
from tulpen.drill.world import CallFailed
from tulpen.kernel.sock_diag import TcpInfo, build_tcp_info
from tulpen.wire.address import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tulpen.tcp.stamping import Stamp

_FAMILY: Final = Struct("=H")
_ADDRESS_4: Final = Struct("!H4s")  # after the family: port, address
_ADDRESS_6: Final = Struct("!H4x16s")
_AF_UNSPEC, _AF_INET, _AF_INET6 = 0, 2, 10
_MAPPED: Final = bytes(10) + b"\xff\xff"
_U32: Final = 0xFFFF_FFFF
_POLLFD: Final = Struct("=ihh")
_EPOLL_EVENT: Final = Struct("=IQ")
_CONTROL: Final = Struct("@Nii")
_TIMESPEC: Final = Struct("@ll")
_EXTENDED_ERROR: Final = Struct("=I3BxII")  # errno, origin, type, code, info, data
#: After what ``TcpInfo`` has: AccECN's counters, and its bits.
_ACCECN: Final = ("received_ce", "delivered_e1_bytes", "delivered_e0_bytes", "delivered_ce_bytes", "received_e1_bytes",
                  "received_e0_bytes", "received_ce_bytes")  # fmt: skip
_ACCECN_BITS: Final = (("ecn_mode", 0), ("accecn_opt_seen", 2), ("accecn_fail_mode", 4), ("options2", 8))


def address_of(octets: bytes) -> Expression:
    """Return a struct sockaddr as a script would write it."""
    try:
        (family,) = _FAMILY.unpack_from(octets)
        if family == _AF_UNSPEC:
            return Members((Field("sa_family", Word("AF_UNSPEC")),))
        layout = {_AF_INET: _ADDRESS_4, _AF_INET6: _ADDRESS_6}.get(family)
        if layout is None:
            raise CallFailed(errno.EAFNOSUPPORT)
        port, address = layout.unpack_from(octets, _FAMILY.size)
    except error:
        raise CallFailed(errno.EINVAL) from None
    if address.startswith(_MAPPED):
        address = address[12:]
    said = Applied("inet_addr", (Text(text(address).encode()),))
    return Members((Field("sa_family", Number(family)), Field("sin_port", Number(port)), Field("sin_addr", said)))


def build_address(address: bytes, port: int, *, ipv6: bool) -> bytes:
    """Return a struct sockaddr; an IPv4 address of an IPv6 socket is a mapped one."""
    if not ipv6:
        return (_FAMILY.pack(_AF_INET) + _ADDRESS_4.pack(port, address)).ljust(16, b"\0")
    whole = address if len(address) == 16 else _MAPPED + address
    return (_FAMILY.pack(_AF_INET6) + _ADDRESS_6.pack(port, whole)).ljust(28, b"\0")


def poll_items(octets: bytes) -> list[tuple[int, int]]:
    """Return descriptor and events of each struct pollfd."""
    return [(fd, events & 0xFFFF) for fd, events, _ in _POLLFD.iter_unpack(octets)]


def build_poll_items(items: Iterable[tuple[int, int]], found: Iterable[int]) -> bytes:
    """Return the same with what was found."""
    return b"".join(_POLLFD.pack(fd, events, got) for (fd, events), got in zip(items, found, strict=True))


def build_epoll_events(events: Iterable[tuple[int, int]]) -> bytes:
    """Return an array of struct epoll_event."""
    return b"".join(_EPOLL_EVENT.pack(held & 0xFFFF_FFFF, data & 0xFFFF_FFFF_FFFF_FFFF) for held, data in events)


def build_control(level: int, type: int, data: bytes) -> bytes:
    """Return a control message, padded as the next one wants it."""
    whole = _CONTROL.pack(_CONTROL.size + len(data), level, type) + data
    return whole + bytes(-len(whole) % 8)


def build_moment(stamp: Stamp) -> bytes:
    """Return a struct scm_timestamping: of its three times, software's."""
    return _TIMESPEC.pack(*divmod(stamp.at, SECOND)) + bytes(2 * _TIMESPEC.size)


def build_error(stamp: Stamp, *, ipv6: bool) -> bytes:
    """Return a struct sock_extended_err, and after it the address of who it is from: of nobody."""
    error = _EXTENDED_ERROR.pack(errno.ENOMSG, ORIGIN_TIMESTAMPING, 0, 0, stamp.kind, stamp.octet)
    return error + bytes(28 if ipv6 else 16)


def build_info(fields: Mapping[str, int], room: int) -> bytes:
    """Return a struct tcp_info of ``room`` octets; what the host cannot tell is 0."""
    known = {name.removeprefix("tcpi_"): value for name, value in fields.items()}
    known["wscale"] = known.get("snd_wscale", 0) | known.get("rcv_wscale", 0) << 4
    known["app_limited"] = known.get("delivery_rate_app_limited", 0)
    octets = build_tcp_info(TcpInfo(*(known.get(name, 0) for name in TcpInfo._fields)))
    counters = [known.get(name, 0) & _U32 for name in _ACCECN]
    bits = _U32 & sum(known.get(name, 0) << shift for name, shift in _ACCECN_BITS)
    octets += Struct("=8I").pack(*counters, bits)
    return octets[:room].ljust(room, b"\0")
