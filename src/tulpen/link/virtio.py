"""The virtio network header that TUN and AF_PACKET put before a packet: what is left to the device.

(Virtio 1.2 §5.1.6, ``linux/virtio_net.h``; in the byte order of this machine.)
"""

from __future__ import annotations

import struct
from typing import Final

from tulpen.wire.ip import Offload

_HEADER: Final = struct.Struct("=BBHHHH")  # flags, gso type, header length, gso size, checksum start, checksum offset
SIZE: Final = _HEADER.size
NOTHING: Final = bytes(SIZE)

_NEEDS_CSUM: Final = 1
_GSO_TCPV4: Final = 1
_GSO_TCPV6: Final = 4
_GSO_ECN: Final = 0x80
_TCP_CHECKSUM: Final = 16  # where the checksum stands in a TCP header
_CWR: Final = 0x80


def parse(header: bytes | memoryview) -> Offload | None:
    """Return what the device left undone; None: nothing."""
    flags, _, _, gso_size, _, _ = _HEADER.unpack_from(header)
    if not flags & _NEEDS_CSUM and not gso_size:
        return None
    return Offload(bool(flags & _NEEDS_CSUM), gso_size)


def build(packet: bytes | memoryview, offload: Offload | None, before: int = 0) -> bytes:
    """Return the header that asks the device to finish the TCP segment in ``packet``.

    ``before`` octets of a link's header stand between the two.
    """
    if offload is None or not (offload.needs_checksum or offload.gso_size):
        return NOTHING
    four = packet[0] >> 4 == 4
    start = (packet[0] & 0x0F) * 4 if four else 40
    if not offload.gso_size:
        return _HEADER.pack(_NEEDS_CSUM, 0, 0, 0, before + start, _TCP_CHECKSUM)
    kind = _GSO_TCPV4 if four else _GSO_TCPV6
    if packet[start + 13] & _CWR:
        kind |= _GSO_ECN
    length = before + start + (packet[start + 12] >> 4) * 4
    return _HEADER.pack(_NEEDS_CSUM, kind, length, offload.gso_size, before + start, _TCP_CHECKSUM)
