"""System calls: arguments in all their forms, the result, the errno."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tulpen.drill.expression import Any, Applied, Array, Expression, Field, LabelStack, Number, Or, Struct, Text, Word
from tulpen.drill.lexer import Kind
from tulpen.drill.script import Call

if TYPE_CHECKING:
    from tulpen.drill.cursor import Cursor

_ESCAPES: Final = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11}
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)

#: The structures that there are, by their members in order.
_STRUCTURES: Final = frozenset((
    ("msg_name", "msg_iov", "msg_flags"),
    ("msg_name", "msg_iov", "msg_flags", "msg_control"),
    ("msg_name", "msg_iov", "msg_control", "msg_flags"),  # FreeBSD's scripts have it so
    ("cmsg_level", "cmsg_type", "cmsg_data"),
    ("cmsg_len", "cmsg_level", "cmsg_type", "cmsg_data"),
    ("ee_errno", "ee_origin", "ee_type", "ee_code", "ee_info", "ee_data"),
    ("scm_sec", "scm_nsec"),
    ("fd", "events"),
    ("fd", "events", "revents"),
    ("events", "fd"),
    ("events", "ptr"),
    ("events", "u32"),
    ("events", "u64"),
    ("onoff", "linger"),
))  # fmt: skip
_MEMBERS: Final = frozenset(name for members in _STRUCTURES for name in members)


def parse_call(cursor: Cursor, end: int | None) -> Call:
    """Read ``name(arguments) = result ERRNO (note)``."""
    name = cursor.word("a system call")
    arguments = parse_arguments(cursor)
    cursor.sign("=")
    result = parse_expression(cursor)
    errno = cursor.next().text if cursor.at(Kind.WORD) else None
    return Call(name, arguments, result, errno, _note(cursor), end)


def parse_arguments(cursor: Cursor) -> tuple[Expression, ...]:
    """Read ``(a, b)``."""
    cursor.sign("(")
    items = [] if cursor.at_sign(")") else _list(cursor)
    if not cursor.skip_sign(")"):
        cursor.fail("',' or ')'")
    return tuple(items)


def parse_expression(cursor: Cursor) -> Expression:
    """Read one argument, or several flags."""
    first = _single(cursor)
    if not cursor.at_sign("|"):
        return first
    parts = [first]
    while cursor.skip_sign("|"):
        parts.append(_single(cursor))
    return Or(tuple(parts))


def _list(cursor: Cursor) -> list[Expression]:
    items = [parse_expression(cursor)]
    while cursor.skip_sign(","):
        items.append(parse_expression(cursor))
    return items


def _single(cursor: Cursor) -> Expression:
    token = cursor.now
    if cursor.skip(Kind.ELLIPSIS):
        return Any()
    if token.kind in (Kind.NUMBER, Kind.HEX):
        return Number(cursor.number("a number"), hex=token.kind is Kind.HEX)
    if token.kind is Kind.STRING:
        return _strings(cursor)
    if token.kind is Kind.WORD:
        return _named(cursor)
    if cursor.skip_sign("["):
        items = [] if cursor.at_sign("]") else _list(cursor)
        if not cursor.skip_sign("]"):
            cursor.fail("',' or ']'")
        return Array(tuple(items))
    if cursor.skip_sign("{"):
        return _braces(cursor)
    return cursor.fail("a value")


def _strings(cursor: Cursor) -> Text:
    """Strings in a row are one, as in C."""
    value = b""
    while cursor.at(Kind.STRING):
        value += unescape(cursor.next().text)
    return Text(value, more=cursor.skip(Kind.ELLIPSIS))


def _named(cursor: Cursor) -> Expression:
    name = cursor.word("a name")
    if cursor.at_sign("("):
        arguments = parse_arguments(cursor)
        if cursor.skip_sign("="):
            return Field(name, parse_expression(cursor), arguments[0] if arguments else None)
        return Applied(name, arguments)
    if cursor.skip_sign("="):
        return Field(name, parse_expression(cursor))
    return Word(name)


def _braces(cursor: Cursor) -> Expression:
    if cursor.at_sign("("):
        return _labels(cursor)
    items = [] if cursor.at_sign("}") else _list(cursor)
    members = tuple(item.name for item in items if isinstance(item, Field))
    if members not in _STRUCTURES and not _MEMBERS.isdisjoint(members):
        cursor.fail(f"other members of a structure than {', '.join(members)}, or another order of them")
    if not cursor.skip_sign("}"):
        cursor.fail("',' or '}'")
    return Struct(tuple(items))


def _labels(cursor: Cursor) -> LabelStack:
    stack = parse_labels(cursor)
    cursor.sign("}")
    return stack


def parse_labels(cursor: Cursor) -> LabelStack:
    """Read an MPLS label stack: ``(label 1, tc 0, [S], ttl 64)``, any number of them."""
    entries = []
    while cursor.skip_sign("("):
        cursor.word("'label'", ("label",))
        label = cursor.number("an MPLS label", 0xFFFFF)
        cursor.sign(",")
        cursor.word("'tc'", ("tc",))
        traffic_class = cursor.number("a traffic class", 7)
        cursor.sign(",")
        bottom = cursor.skip_sign("[")
        if bottom:
            cursor.word("'S'", ("S",))
            cursor.sign("]")
            cursor.sign(",")
        cursor.word("'ttl'", ("ttl",))
        ttl = cursor.number("a TTL", 0xFF)
        cursor.sign(")")
        entries.append((label, traffic_class, bottom, ttl))
    return LabelStack(tuple(entries))


def _note(cursor: Cursor) -> str:
    """Read what stands in parentheses behind a result: the words of an error, or flags."""
    if not cursor.skip_sign("("):
        return ""
    words = []
    while not cursor.at_sign(")"):
        if cursor.at(Kind.END):
            cursor.fail("')'")
        words.append(cursor.next().text)
    cursor.sign(")")
    return " ".join(words)


def unescape(text: str) -> bytes:
    """Return the octets of a string of C."""

    def octet(match: re.Match[str]) -> str:
        what = match.group(1)
        if what[0] == "x" and len(what) > 1:
            return chr(int(what[1:], 16))
        if what[0] in "01234567":
            return chr(int(what, 8) & 0xFF)
        return chr(_ESCAPES.get(what, ord(what[0])))

    return _ESCAPE.sub(octet, text).encode("latin-1", "replace")
