"""Words of packetdrill's language, with their places."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.drill.problems import ScriptError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Kind(Enum):
    """What a token is, in the words of an error message."""

    OPTION = "an option"
    NUMBER = "a number"
    HEX = "a hexadecimal number"
    DECIMAL = "a number with a fraction"
    WORD = "a word"
    STRING = "a string"
    COMMAND = "a command in backticks"
    CODE = "code in %{ }%"
    ELLIPSIS = "'...'"
    ADDRESS = "an address"
    SIGN = "a sign"
    END = "the end of the script"


class Token(NamedTuple):
    """One token; ``text`` is without the quotes of what is quoted."""

    kind: Kind
    text: str
    line: int
    column: int

    def __str__(self) -> str:
        if self.kind in (Kind.END, Kind.STRING, Kind.COMMAND, Kind.CODE):
            return str(self.kind.value)
        return f"'{self.text}'"


_GROUP: Final = r"[0-9a-fA-F]{1,4}"
_IPV4: Final = r"\d+\.\d+\.\d+\.\d+"
_IPV6: Final = (
    rf"(?:(?:{_GROUP}:){{7}}{_GROUP}"
    rf"|(?:{_GROUP}:){{1,7}}:(?:(?:{_GROUP}:){{0,6}}(?:{_IPV4}|{_GROUP}))?"
    rf"|::(?:(?:{_GROUP}:){{0,6}}(?:{_IPV4}|{_GROUP}))?)"
)

# In this order: what is longer, or more special, comes first.
_RULES: Final[tuple[tuple[str, str], ...]] = (
    ("blank", r"[ \t\r\n\f\v]+"),
    ("line_comment", r"//[^\n]*"),
    ("block_comment", r"/\*.*?\*/"),
    ("condition", r"#ifdef[ \t]+[A-Za-z_]\w*|#endif\b"),
    ("CODE", r"%\{(?:[^}]|\}(?!%))*\}%"),
    ("OPTION", r"--[a-zA-Z_]\w*(?:=(?:\w+=)?(?:\"(?:\\.|[^\"])*\"|`(?:\\.|[^`])*`|[^\s\"`]+))?"),
    ("STRING", r"\"(?:\\.|[^\"\\])*\""),
    ("COMMAND", r"`(?:\\.|[^`\\])*`"),
    ("ELLIPSIS", r"\.\.\."),
    ("ADDRESS", rf"{_IPV6}(?!\w)|{_IPV4}(?![\w.])"),
    ("HEX", r"0x[0-9a-fA-F]+(?!\w)"),
    ("DECIMAL", r"-?\d*\.\d+(?![A-Za-z_])"),
    ("NUMBER", r"-?\d+(?![A-Za-z_0-9])"),
    ("WORD", r"(?:exp|EXP|gen|voice)-\w+|\w+#?"),
    ("SIGN", r"[^\s]"),
)
_PATTERN: Final = re.compile("|".join(f"(?P<{name}>{rule})" for name, rule in _RULES), re.DOTALL)
_QUOTES: Final = {Kind.STRING: 1, Kind.COMMAND: 1, Kind.CODE: 2}
_OPENERS: Final = {'"': "a string", "`": "a command", "/*": "a comment", "%{": "code"}


def tokens(text: str, path: str, defined: Mapping[str, str]) -> Iterator[Token]:
    """Yield the tokens of a script, and END; ``defined`` names open the #ifdef parts."""
    line = 1
    start = 0  # of the line
    hidden = 0  # the line of an #ifdef whose name is not defined
    opened = 0
    for match in _PATTERN.finditer(text):
        found = match.group()
        column = match.start() - start + 1
        rule = match.lastgroup
        if rule == "condition":
            opened, hidden = _condition(found, path, line, column, opened, hidden, defined)
        elif rule is not None and rule.isupper() and not hidden:
            kind = Kind[rule]
            _check_closed(text, match.start(), path, line, column, kind)
            quotes = _QUOTES.get(kind, 0)
            yield Token(kind, found[quotes : len(found) - quotes], line, column)
        newlines = found.count("\n")
        if newlines:
            line += newlines
            start = match.start() + found.rindex("\n") + 1
    if opened:
        raise ScriptError(path, opened, 1, "#ifdef without an #endif")
    yield Token(Kind.END, "", line, len(text) - start + 1)


def _condition(
    found: str, path: str, line: int, column: int, opened: int, hidden: int, defined: Mapping[str, str]
) -> tuple[int, int]:
    """Return the lines of the #ifdef that is open, and of one whose text is left out."""
    if found == "#endif":
        if not opened:
            raise ScriptError(path, line, column, "#endif without an #ifdef")
        return 0, 0
    if opened:
        raise ScriptError(path, line, column, f"#ifdef inside the #ifdef of line {opened}")
    return line, 0 if found.split()[1] in defined else line


def _check_closed(text: str, at: int, path: str, line: int, column: int, kind: Kind) -> None:
    """A quote that stands alone as a sign was never closed."""
    if kind is not Kind.SIGN:
        return
    for opener, what in _OPENERS.items():
        if text.startswith(opener, at):
            raise ScriptError(path, line, column, f"{what} that does not end")
