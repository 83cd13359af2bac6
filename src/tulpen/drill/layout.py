"""The order and padding of options on the wire, as different systems write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tulpen.wire.options import (
    END,
    FAST_OPEN,
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


@dataclass(frozen=True, slots=True)
class Layout:
    """How a system writes options."""

    order: tuple[int, ...]  # kinds; those not named come last
    aligned: dict[int, tuple[int, int]]  # kind -> NOPs before it until the length leaves ``rest`` by ``modulus``
    padding: int  # fills up the last word


#: Systems that write them otherwise than ``build_options``.
LAYOUTS: Final[dict[str, Layout]] = {
    "bsd": Layout(
        order=(MSS, WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS, SACK, FAST_OPEN, USER_TIMEOUT),
        aligned={WINDOW_SCALE: (2, 1), SACK_PERMITTED: (2, 0), TIMESTAMPS: (4, 2), SACK: (4, 2)},
        padding=END,
    ),
}


def octets(options: Options, order: str) -> bytes:
    """Return the octets of a segment's options in the order of a system: ``linux`` or ``bsd``."""
    built = build_options(options)
    layout = LAYOUTS.get(order)
    if layout is None or not built:
        return built
    given = [(kind, body) for kind, body in each(built) if kind not in (NOP, END)]
    last = len(layout.order)
    given.sort(key=lambda one: layout.order.index(one[0]) if one[0] in layout.order else last)
    out = b""
    for kind, body in given:
        modulus, rest = layout.aligned.get(kind, (1, 0))
        out += bytes((NOP,)) * ((rest - len(out)) % modulus)
        out += bytes((kind, 2 + len(body))) + body
    return out + bytes((layout.padding,)) * (-len(out) % 4)


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
