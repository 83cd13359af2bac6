"""Acknowledgments that come in one batch: the last says what those before it said.

An ACK without text that the next packet supersedes is as good as lost, which costs nothing: ACKs are
cumulative.  Linux does the same with what waits for a busy socket (TCPBacklogCoalesce).  Told by the
octets, before anything is parsed; what is not the most ordinary ACK stays as it is.
"""

from __future__ import annotations

from typing import Final

from tulpen.wire.seq import before

_TCP: Final = 6
_ACK: Final = 0x10
_TIMESTAMPS: Final = b"\x01\x01\x08\x0a"
_SMALLEST: Final = 20 + 20  # IPv4, and TCP without options
_LARGEST: Final = 40 + 32  # IPv6, and TCP with timestamps
#: Where the TCP header begins, by the first octet of a packet: without options or extensions.
_START: Final = {0x45: 20, 0x60: 40}
_BARE: Final = 20
_STAMPED: Final = 32  # octets of a TCP header whose options are timestamps alone


def supersedes(later: bytes | memoryview, earlier: bytes | memoryview) -> bool:
    """Say whether ``later`` is an ACK without text that acknowledges more than ``earlier``, which is one as well.

    Both are whole packets; nothing else may differ between them but window, timestamps, identification and checksums.
    """
    size = len(later)
    if size > _LARGEST or size < _SMALLEST or size != len(earlier):
        return False
    start = _START.get(later[0], size)
    header = size - start
    if header != _STAMPED and header != _BARE:
        return False
    if later[9 if start == 20 else 6] != _TCP or later[start + 13] != _ACK or later[start + 12] >> 4 != header >> 2:
        return False
    ends = start - 8 if start == 20 else 8  # addresses, ports and sequence number stand together
    if later[ends : start + 8] != earlier[ends : start + 8] or later[:2] != earlier[:2]:
        return False
    if later[start + 12 : start + 14] != earlier[start + 12 : start + 14]:
        return False
    if header == _STAMPED and not _stamped_later(later, earlier, start + _BARE):
        return False
    return before(_number(earlier, start + 8), _number(later, start + 8))


def _stamped_later(later: bytes | memoryview, earlier: bytes | memoryview, options: int) -> bool:
    if later[options : options + 4] != _TIMESTAMPS or earlier[options : options + 4] != _TIMESTAMPS:
        return False
    return not before(_number(later, options + 4), _number(earlier, options + 4))


def _number(octets: bytes | memoryview, at: int) -> int:
    return int.from_bytes(octets[at : at + 4], "big")
