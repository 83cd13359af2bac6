"""The octets that signatures cover: RFC 2385 §2.0 and RFC 5925 §5.1."""

from __future__ import annotations

from typing import Final

from tulpen.wire.checksum import pseudo_header
from tulpen.wire.options import AUTHENTICATION, END, NOP, build_options
from tulpen.wire.segment import Segment
from tulpen.wire.tcp_codec import FIXED, HEADER, TCP

_IDENTIFIERS: Final = 4  # kind, length, KeyID, RNextKeyID: what stands before the MAC


def octets_of_md5(seg: Segment, src: bytes, dst: bytes) -> bytes:
    """Return what is hashed, but for the key: pseudo header, header without options or checksum, text."""
    options = _octets(seg)
    length = HEADER + len(options) + len(seg.data)
    return b"".join((pseudo_header(src, dst, TCP, length), _header(seg, len(options)), seg.data))


def octets_of_ao(seg: Segment, src: bytes, dst: bytes, extension: int, *, covers_options: bool) -> bytes:
    """Return what the MAC is made of; ``extension``: of the sequence number (§6.2)."""
    options = _octets(seg)
    length = HEADER + len(options) + len(seg.data)
    blank = _without_mac(options)
    return b"".join((
        extension.to_bytes(4, "big"),
        pseudo_header(src, dst, TCP, length),
        _header(seg, len(options)),
        b"".join(blank) if covers_options else b"".join(each for each in blank if each[0] == AUTHENTICATION),
        seg.data,
    ))  # fmt: skip


def _octets(seg: Segment) -> bytes:
    """Return the options as they came, or as they will go."""
    return seg.options.octets or build_options(seg.options)


def _header(seg: Segment, options: int) -> bytes:
    bits = HEADER + options << 10 | seg.flags
    return FIXED.pack(seg.sport, seg.dport, seg.seq, seg.ack, bits, seg.wnd, 0, seg.urg)


def _without_mac(octets: bytes) -> list[bytes]:
    """Return each option, with zeros in the place of the MAC."""
    found = []
    at = 0
    while at < len(octets):
        kind = octets[at]
        length = 1 if kind in (NOP, END) else max(2, *octets[at + 1 : at + 2])
        option = octets[at : at + length]
        if kind == AUTHENTICATION:
            option = option[:_IDENTIFIERS] + bytes(len(option) - _IDENTIFIERS)
        if kind == END:
            option = octets[at:]
            length = len(option)
        found.append(option)
        at += length
    return found
