"""What a packet says of its internet header: ``[ect0]``, ``(tos 0x10, ttl 64)``, ``[ce,flowlabel 0x1]``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tulpen.drill.script import IpInfo

if TYPE_CHECKING:
    from tulpen.drill.cursor import Cursor

_ECN: Final = {"noecn": 0, "ect1": 1, "ect0": 2, "ce": 3}
_DSCP: Final = {
    **{f"cs{n}": 8 * n for n in range(8)},
    **{f"af{n}{m}": 8 * n + 2 * m for n in range(1, 5) for m in range(1, 4)},
    "ef": 46, "voice-admit": 44, "le": 1,
}  # fmt: skip
_EXPECTED: Final = "noecn, ect0, ect1, ect01, ce, ecn, tos, dscp, class, ttl, hlim or flowlabel"
_CLOSING: Final = {"(": ")", "[": "]"}


def parse_ip_info(cursor: Cursor) -> IpInfo:
    """Read it, if it is there."""
    opening = cursor.now.text
    if not (cursor.at_sign("(") or cursor.at_sign("[")):
        return IpInfo()
    cursor.next()
    info = _one(cursor, IpInfo())
    while cursor.skip_sign(","):
        info = _one(cursor, info)
    cursor.sign(_CLOSING[opening])
    return info


def _one(cursor: Cursor, info: IpInfo) -> IpInfo:
    name = cursor.word(_EXPECTED)
    if name == "ecn":
        name = cursor.word("noecn, ect0, ect1, ect01 or ce", (*_ECN, "ect01"))
    if name in _ECN:
        return _with_bits(info, _ECN[name], 0x03)
    if name == "ect01":
        return replace(info, ect01=True)
    if name in ("tos", "class"):
        return _with_bits(info, cursor.number("a type of service", 0xFF), 0xFF)
    if name == "dscp":
        word = cursor.now.text
        if word in _DSCP:
            cursor.next()
            return _with_bits(info, _DSCP[word] << 2, 0xFC)
        return _with_bits(info, cursor.number("a DSCP", 0x3F) << 2, 0xFC)
    if name in ("ttl", "hlim"):
        return replace(info, ttl=cursor.number("a TTL", 0xFF))
    if name == "flowlabel":
        return replace(info, flow_label=cursor.number("a flow label", 0xFFFFF))
    return cursor.fail(_EXPECTED)


def _with_bits(info: IpInfo, value: int, mask: int) -> IpInfo:
    before = info.mask if info.tos is not None else 0
    return replace(info, tos=(info.tos or 0) | value, mask=before | mask)
