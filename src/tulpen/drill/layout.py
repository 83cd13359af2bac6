"""The order and padding of options on the wire, as different systems write them."""

from __future__ import annotations

from struct import pack
from typing import Final

from tulpen.wire.options import (
    END,
    MSS,
    NOP,
    SACK,
    SACK_PERMITTED,
    TIMESTAMPS,
    USER_TIMEOUT,
    WINDOW_SCALE,
    Options,
    build_options,
)


def octets(options: Options, order: str) -> bytes:
    """Return the octets of a segment's options in the order of a system: ``linux`` or ``bsd``."""
    return build_options(options) if order == "linux" else _bsd(options)


def _bsd(options: Options) -> bytes:
    """MSS, NOP and window scale, SACK permitted, timestamps, SACK, others; the end of the list fills up."""
    out = b""
    if options.mss is not None:
        out += pack("!BBH", MSS, 4, options.mss)
    if options.wscale is not None:
        out += bytes((NOP, WINDOW_SCALE, 3, options.wscale))
    if options.sack_permitted:
        out += bytes((NOP,)) * (len(out) % 2) + bytes((SACK_PERMITTED, 2))
    if options.tsval is not None:
        out = _aligned(out, 2) + pack("!BBII", TIMESTAMPS, 10, options.tsval, options.tsecr)
    if options.sack:
        out = _aligned(out, 2) + bytes((SACK, 2 + 8 * len(options.sack)))
        out += b"".join(pack("!II", *block) for block in options.sack)
    if options.user_timeout is not None:
        out += pack("!BBH", USER_TIMEOUT, 4, options.user_timeout)
    for kind, body in options.others:
        out += bytes((kind, 2 + len(body))) + body
    return out + bytes((END,)) * (-len(out) % 4)


def _aligned(out: bytes, rest: int) -> bytes:
    """Return ``out`` filled up with NOPs until its length leaves ``rest`` when divided by 4."""
    return out + bytes((NOP,)) * ((rest - len(out)) % 4)


def each(encoded: bytes) -> list[tuple[int, bytes]]:
    """Return the options one by one, NOP and END too: (kind, octets after the length)."""
    found = []
    at = 0
    while at < len(encoded):
        kind = encoded[at]
        if kind in (END, NOP):
            found.append((kind, b""))
            at += 1
            continue
        length = max(encoded[at + 1], 2) if at + 1 < len(encoded) else 2
        found.append((kind, encoded[at + 2 : at + length]))
        at += length
    return found


NAMES: Final = {END: "eol", NOP: "nop", MSS: "mss", WINDOW_SCALE: "wscale", SACK_PERMITTED: "sackOK", SACK: "sack",
                TIMESTAMPS: "TS"}  # fmt: skip
