"""The options of a TCP segment, between ``<`` and ``>``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.drill import tcp_option as make
from tulpen.drill.lexer import Kind
from tulpen.wire.options import ACC_ECN_0, ACC_ECN_1

if TYPE_CHECKING:
    from tulpen.drill.cursor import Cursor
    from tulpen.drill.tcp_option import TcpOption

_WORD_32: Final = 0xFFFF_FFFF
_COUNTER: Final = 0xFF_FFFF
LONGEST: Final = 40

_SIMPLE: Final[dict[str, TcpOption]] = {
    "nop": make.NO_OPERATION,
    "eol": make.END_OF_LIST,
    "sackOK": make.sack_permitted(),
}
_EXPECTED: Final = "a TCP option (mss, wscale, sackOK, sack, TS, nop, eol, FO, FOEXP, md5, ECN, gen-KIND)"
_COUNTERS: Final = ("e0b", "ceb", "e1b")


def parse_options(cursor: Cursor) -> tuple[TcpOption, ...] | None:
    """Read ``<a,b>``, ``<...>`` (None) or nothing at all."""
    start = cursor.now
    if not cursor.skip_sign("<"):
        return ()
    if cursor.skip(Kind.ELLIPSIS):
        cursor.sign(">")
        return None
    options = [_option(cursor)]
    while cursor.skip_sign(","):
        options.append(_option(cursor))
    if not cursor.skip_sign(">"):
        cursor.fail("',' or '>'")
    octets = len(make.encode(tuple(options)))
    if octets % 4:
        cursor.error(f"{octets} octets of TCP options are no multiple of 4: pad them with nop or eol", start)
    if octets > LONGEST:
        cursor.error(f"{octets} octets of TCP options; {LONGEST} is the most that fits", start)
    return tuple(options)


def _option(cursor: Cursor) -> TcpOption:
    token = cursor.now
    name = cursor.word(_EXPECTED)
    if name in _SIMPLE:
        return _SIMPLE[name]
    if name == "mss":
        return make.mss(cursor.number("an MSS", 0xFFFF))
    if name == "wscale":
        return make.window_scale(cursor.number("a window scale", 0xFF))
    if name == "sack":
        return _sack(cursor)
    if name == "TS":
        return _timestamps(cursor)
    if name in ("FO", "FOEXP", "exp-FO", "EXP-FO"):
        return make.fast_open(_blob(cursor), experimental=name != "FO")
    if name == "md5":
        return make.ValidMd5() if cursor.skip_word("valid") else make.md5(_blob(cursor))
    if name == "ECN":
        return _acc_ecn(cursor)
    if name in ("AccECN0", "AccECN1", "exp-AccECN0", "exp-AccECN1"):
        kind = ACC_ECN_0 if name.endswith("0") else ACC_ECN_1
        return _acc_ecn_named(cursor, kind, experimental=name.startswith("exp"))
    if name.startswith("gen-") and name[4:].isdigit() and int(name[4:]) <= 0xFF:
        return make.generic(int(name[4:]), _blob(cursor))
    return cursor.error(f"expected {_EXPECTED}, found '{name}'", token)


def _sack(cursor: Cursor) -> TcpOption:
    blocks = []
    while cursor.at(Kind.NUMBER):
        left = cursor.number("the left edge of a SACK block", _WORD_32)
        cursor.sign(":")
        blocks.append((left, cursor.number("the right edge of a SACK block", _WORD_32)))
    if not blocks:
        cursor.fail("a SACK block, left:right")
    return make.Sack(tuple(blocks))


def _timestamps(cursor: Cursor) -> TcpOption:
    cursor.word("'val'", ("val",))
    val = None if cursor.skip(Kind.ELLIPSIS) else cursor.number("a timestamp", _WORD_32)
    cursor.word("'ecr'", ("ecr",))
    ecr = None if cursor.skip(Kind.ELLIPSIS) else cursor.number("a timestamp", _WORD_32)
    return make.Timestamps(val, ecr, absolute_ecr=cursor.skip_sign("!"))


def _blob(cursor: Cursor) -> bytes:
    """Read octets in hexadecimal digits, or none."""
    token = cursor.now
    if token.kind not in (Kind.WORD, Kind.NUMBER, Kind.HEX):
        return b""
    cursor.next()
    digits = token.text.removeprefix("0x")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return cursor.error(f"expected octets in hexadecimal digits, found '{token.text}'", token)


def _acc_ecn(cursor: Cursor) -> TcpOption:
    """``ECN e0b 1 ceb 2 e1b 3``: which counter comes first decides the kind."""
    first = cursor.now.text
    kind = ACC_ECN_1 if first == "e1b" else ACC_ECN_0
    order = _COUNTERS if kind == ACC_ECN_0 else _COUNTERS[::-1]
    if first not in order:
        cursor.fail("'e0b' or 'e1b'")
    return make.acc_ecn(kind, _counters(cursor, order))


def _acc_ecn_named(cursor: Cursor, kind: int, *, experimental: bool) -> TcpOption:
    order = ("ee0b", "eceb", "ee1b") if kind == ACC_ECN_0 else ("ee1b", "eceb", "ee0b")
    return make.acc_ecn(kind, _counters(cursor, order), experimental=experimental)


def _counters(cursor: Cursor, order: tuple[str, ...]) -> tuple[int, ...]:
    counters = []
    for name in order:
        if not cursor.skip_word(name):
            break
        counters.append(cursor.number("a counter of AccECN", _COUNTER))
    return tuple(counters)
