"""The virtio network header that TUN and AF_PACKET put before a packet: what is left to the device.

(Virtio 1.2 §5.1.6, ``linux/virtio_net.h``; in the byte order of this machine.)
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from tulpen.wire.ip import Offload

_HEADER: Final = struct.Struct("=BBHHHH")  # flags, gso type, header length, gso size, checksum start, checksum offset
SIZE: Final = _HEADER.size
NOTHING: Final = bytes(SIZE)

_NEEDS_CSUM: Final = 1
_DATA_VALID: Final = 2
_GSO_TCPV4: Final = 1
_GSO_TCPV6: Final = 4
_GSO_UDP_L4: Final = 5
_GSO_ECN: Final = 0x80
_UDP: Final = 17
_UDP_HEADER: Final = 8
_UDP_CHECKSUM: Final = 6  # where the checksum stands in the header
_TCP_CHECKSUM: Final = 16
_CWR: Final = 0x80


def parse(header: bytes | bytearray | memoryview) -> Offload | None:
    """Return what the device left undone, or has verified; None: neither."""
    return None if header == NOTHING else _parsed(bytes(header))


@lru_cache(maxsize=64)
def _parsed(header: bytes) -> Offload:
    flags, _, _, gso_size, _, _ = _HEADER.unpack_from(header)
    return Offload(bool(flags & _NEEDS_CSUM), gso_size, bool(flags & _DATA_VALID))


def build(packet: bytes | memoryview, offload: Offload | None, before: int = 0) -> bytes:
    """Return the header that asks the device to finish the segment or datagrams in ``packet``.

    ``packet`` holds the headers at least; ``before`` octets of a link's header stand before it.
    """
    if offload is None or not (offload.needs_checksum or offload.gso_size):
        return NOTHING  # that a checksum is good cannot be said to a device
    four = packet[0] >> 4 == 4
    start = (packet[0] & 0x0F) * 4 if four else 40
    udp = packet[9 if four else 6] == _UDP
    checksum = _UDP_CHECKSUM if udp else _TCP_CHECKSUM
    if not offload.gso_size:  # with a kind and no size it would be EINVAL
        return _HEADER.pack(_NEEDS_CSUM, 0, 0, 0, before + start, checksum)
    if udp:
        kind, length = _GSO_UDP_L4, before + start + _UDP_HEADER
    else:
        kind = _GSO_TCPV4 if four else _GSO_TCPV6
        if packet[start + 13] & _CWR:
            kind |= _GSO_ECN
        length = before + start + (packet[start + 12] >> 4) * 4
    return _HEADER.pack(_NEEDS_CSUM, kind, length, offload.gso_size, before + start, checksum)
