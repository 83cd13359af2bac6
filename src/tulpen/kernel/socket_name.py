"""The name of a connection in an event of a tracepoint: four fields, or a sockaddr."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, final

from tulpen.tcp.trace import FourTuple

if TYPE_CHECKING:
    from tulpen.kernel.tcp_layout import NameFields

_AF_INET: Final = 2
_AF_INET6: Final = 10
_MAPPED: Final = bytes(10) + b"\xff\xff"  # RFC 4291 §2.5.5.2
_FORMATS: Final = {"sport": "H", "dport": "H", "family": "H", "saddr": "4s", "daddr": "4s", "saddr_v6": "16s",
                   "daddr_v6": "16s"}  # fmt: skip
_u16: Final = struct.Struct("=H").unpack_from

Raw = tuple[int | bytes, ...]


@final
class NameReader:
    """Reads the names of inet_sock_set_state: at once as it stands, and later what it means."""

    __slots__ = ("_dport", "_family", "_four", "_six", "_sport", "raw")

    def __init__(self, fields: NameFields) -> None:
        layout, end, order = "=", 0, []
        for offset, name in sorted((offset, name) for name, offset in fields._asdict().items() if offset >= 0):
            if offset < end:
                continue  # fields that overlap: none that we know of does
            layout += f"{offset - end}x{_FORMATS[name]}"
            end = offset + struct.calcsize("=" + _FORMATS[name])
            order.append(name)
        self.raw = struct.Struct(layout).unpack_from  # (octets, offset) -> Raw
        places = {name: place for place, name in enumerate(order)}
        self._sport, self._dport, self._family = places["sport"], places["dport"], places["family"]
        self._four = (places["saddr"], places["daddr"]) if "saddr" in places else None
        self._six = (places["saddr_v6"], places["daddr_v6"]) if "saddr_v6" in places else None

    def name(self, raw: Any) -> FourTuple:
        """Return the name; one of IPv4 on an IPv6 socket bears its IPv4 addresses."""
        four = self._four
        if four is not None and (raw[self._family] == _AF_INET or self._six is None):
            return FourTuple(raw[four[0]], raw[self._sport], raw[four[1]], raw[self._dport])
        assert self._six is not None
        source, destination = self._six
        return FourTuple(unmapped(raw[source]), raw[self._sport], unmapped(raw[destination]), raw[self._dport])

    def differ(self, one: Any, other: Any) -> bool:
        """Whether two names cannot be of one connection; a port of 0 is one that was not, or is no more, there."""
        ports = (self._sport, self._dport)
        return any(one[port] and other[port] and one[port] != other[port] for port in ports)


def read_sockaddr(octets: bytes | memoryview, at: int) -> tuple[bytes, int] | None:
    """Return the address and the port of a sockaddr_in or sockaddr_in6; None: it is neither."""
    family = _u16(octets, at)[0]
    port = int.from_bytes(octets[at + 2 : at + 4], "big")
    if family == _AF_INET:
        return bytes(octets[at + 4 : at + 8]), port
    if family == _AF_INET6:
        return unmapped(bytes(octets[at + 8 : at + 24])), port
    return None


@lru_cache(maxsize=4096)
def unmapped(address: bytes) -> bytes:
    """Return an IPv4 address for one that is mapped into IPv6, any other as it is."""
    return address[12:] if address.startswith(_MAPPED) else address
