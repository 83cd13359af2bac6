"""Between what the exact reader sees and rows of ``SEGMENT``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tulpen.capture.quick.layout import (
    EXACT,
    FAST_OPEN,
    ICMP,
    MOST_TAGS,
    MSS,
    SACK,
    SACK_PERMITTED,
    SCALE,
    SEGMENT,
    STAMP,
    STRANGE,
    TAG_BITS,
)  # fmt: skip
from tulpen.capture.seen import IcmpError, Seen
from tulpen.wire.options import Options

_VLAN: Final = "vlan "
_TAG: Final = (1 << TAG_BITS) - 1
_HALF: Final = (1 << 64) - 1
_TIMES: Final = np.iinfo(np.int64)
_LENGTHS: Final = np.iinfo(np.int32)


def seen_array(seen: Sequence[Seen | IcmpError], offsets: Sequence[int] | None = None) -> NDArray[Any]:
    """Return segments, and ICMP errors about some, as an array of ``SEGMENT``.

    ``offsets``: of their records in the file.  What a row cannot hold is EXACT.
    """
    rows = np.zeros(len(seen), SEGMENT)
    for at, each in enumerate(seen):
        put(rows, at, each, offsets[at] if offsets is not None else 0)
    return rows


def put(rows: NDArray[Any], at: int, each: Seen | IcmpError, offset: int) -> None:
    """Write a segment, or an ICMP error, into row ``at``."""
    row = rows[at]
    when = min(max(each.when, _TIMES.min), _TIMES.max)
    has = EXACT if when != each.when else 0
    row["frame"], row["when"], row["offset"] = each.frame, when, offset
    row["src"], row["dst"] = halves(each.src), halves(each.dst)
    row["sport"], row["dport"], row["seq"] = each.sport, each.dport, each.seq
    row["six"] = len(each.src) == 16
    if isinstance(each, IcmpError):
        row["has"] = has | EXACT | ICMP
        return
    tags = tags_of(each.layers)
    if tags is None or each.pieces > 1 or each.length > _LENGTHS.max:
        has |= EXACT
    row["ack"], row["flags"], row["wnd"], row["length"] = each.ack, each.flags, each.wnd, min(each.length, _LENGTHS.max)
    row["ttl"], row["ident"], row["checksum"] = each.ttl, each.ident, each.checksum
    row["vlan"], row["tags"] = each.vlan, tags or 0
    row["has"] = has | _options(row, each.options)


def halves(address: bytes) -> tuple[int, int]:
    """Return an address as a row has it."""
    number = int.from_bytes(address, "big")
    return number >> 64, number & _HALF


def octets_of(address: Any, *, six: bool) -> bytes:
    """Return an address of a row as it stands in a packet."""
    return (int(address[0]) << 64 | int(address[1])).to_bytes(16 if six else 4, "big")


def tags_of(layers: str) -> int | None:
    """Return the tags of VLANs that a segment was behind; None where there is more around it, or too many."""
    if not layers:
        return 0
    names = layers.split(", ")
    if len(names) > MOST_TAGS or not all(name.startswith(_VLAN) for name in names):
        return None
    tags = len(names)
    for number in (int(names[0][len(_VLAN) :]) if len(names) > 1 else 0, int(names[-1][len(_VLAN) :])):
        tags = tags << TAG_BITS | number
    return tags


def layers_of(tags: int) -> str:
    """Return the names of the layers that ``tags`` stands for, as ``Seen.layers`` has them."""
    numbers = (tags >> TAG_BITS & _TAG, tags & _TAG)
    return ", ".join(f"{_VLAN}{number}" for number in numbers[MOST_TAGS - (tags >> 2 * TAG_BITS) :])


def _options(row: Any, options: Options) -> int:
    has = 0
    if options.tsval is not None:
        row["tsval"], row["tsecr"] = options.tsval, options.tsecr
        has |= STAMP
    if options.mss is not None:
        row["mss"] = options.mss
        has |= MSS
    if options.wscale is not None:
        row["scale"] = options.wscale
        has |= SCALE
    if options.sack_permitted:
        has |= SACK_PERMITTED
    if options.sack:
        has |= SACK
    if options.fast_open is not None:
        has |= FAST_OPEN
    signed = options.md5 is not None or options.authentication is not None
    if options.malformed or options.others or signed or options.user_timeout is not None or options.acc_ecn is not None:
        has |= STRANGE
    return has
