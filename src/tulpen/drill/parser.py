"""The script as a whole: options, the set-up command, events with their times, the clean-up command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.drill.cursor import Cursor
from tulpen.drill.lexer import Kind
from tulpen.drill.parse_call import parse_call
from tulpen.drill.parse_packet import parse_packet
from tulpen.drill.script import (
    SECOND,
    Action,
    Call,
    Code,
    Command,
    Event,
    IcmpPacket,
    Option,
    Script,
    TcpPacket,
    Time,
    UdpPacket,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tulpen.drill.lexer import Token

_TIMES: Final = (Kind.NUMBER, Kind.DECIMAL)
_ACTION: Final = "a packet ('<' or '>'), a system call, a command in backticks, or code in %{ }%"


def parse_script(text: str, path: str = "script", defined: Mapping[str, str] | None = None) -> Script:
    """Return the script; raises ScriptError with the line and column of what is wrong.

    ``defined`` are names to replace, as ``-D NAME=VALUE`` gives them; the script's own
    ``--define`` lines add to them.
    """
    cursor = Cursor(text, path, dict(defined or {}))
    options = _options(cursor)
    set_up = _command(cursor)
    lines = tuple(text.splitlines())
    events = []
    while not cursor.at(Kind.END, Kind.COMMAND):
        events.append(_event(cursor, lines))
    clean_up = _command(cursor)
    if not events:
        cursor.fail("an event")
    if not cursor.at(Kind.END):
        cursor.fail("the end of the script, after the command that cleans up")
    return Script(path, options, set_up, tuple(events), clean_up, lines)


def _options(cursor: Cursor) -> tuple[Option, ...]:
    options = []
    while cursor.at(Kind.OPTION):
        token = cursor.next()
        name, equals, value = token.text[2:].partition("=")
        options.append(Option(name, value if equals else None, token.line, token.column))
        if name == "define" and "=" in value:
            symbol, _, meaning = value.partition("=")
            cursor.defined[symbol] = meaning
    return tuple(options)


def _command(cursor: Cursor) -> Command | None:
    return Command(cursor.next().text) if cursor.at(Kind.COMMAND) else None


def _event(cursor: Cursor, lines: tuple[str, ...]) -> Event:
    start = cursor.now
    time = _time(cursor)
    action = _action(cursor)
    _check_time(cursor, time, action, start)
    written = lines[start.line - 1].strip() if start.line <= len(lines) else ""
    return Event(time, action, start.line, start.column, written)


def _time(cursor: Cursor) -> Time:
    if cursor.skip_sign("*"):
        return Time(any=True)
    relative = cursor.skip_sign("+")
    start = _moment(cursor, "a time (seconds, '+' seconds, or '*')" if not relative else "a time, in seconds")
    if not cursor.skip_sign("~"):
        return Time(start, relative=relative)
    if relative:
        cursor.sign("+")
    token = cursor.now
    end = _moment(cursor, "the end of the time range, in seconds")
    if end < start:
        cursor.error("the time range runs backwards", token)
    return Time(start, end, relative=relative)


def _moment(cursor: Cursor, what: str) -> int:
    token = cursor.now
    if token.kind not in _TIMES:
        cursor.fail(what)
    if token.text.startswith("-"):
        cursor.error("a time is not negative", token)
    cursor.next()
    return _nanoseconds(token.text)


def _nanoseconds(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole or "0") * SECOND + int((fraction + "000000000")[:9])


def _action(cursor: Cursor) -> Action:
    if cursor.at_sign("<") or cursor.at_sign(">"):
        return parse_packet(cursor)
    if cursor.at(Kind.COMMAND):
        return Command(cursor.next().text)
    if cursor.at(Kind.CODE):
        return Code(cursor.next().text)
    if cursor.skip(Kind.ELLIPSIS):
        return parse_call(cursor, _moment(cursor, "the time when the call returns"))
    if cursor.at(Kind.WORD):
        return parse_call(cursor, None)
    return cursor.fail(_ACTION)


def _check_time(cursor: Cursor, time: Time, action: Action, start: Token) -> None:
    """A time that is open is for what the TCP decides about."""
    expected = isinstance(action, (TcpPacket, UdpPacket, IcmpPacket)) and action.outbound
    if time.any and not expected:
        cursor.error("the time '*' is for packets that are expected, '>'", start)
    if time.end is not None and not expected:
        cursor.error("a time range is for packets that are expected, '>'", start)
    if isinstance(action, Call) and action.end is not None and action.end < (0 if time.relative else time.start):
        cursor.error("the call returns before it starts", start)
