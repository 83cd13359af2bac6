"""A walk over the tokens of a script, with the errors that parsing makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, final

from tulpen.drill.lexer import Kind, Token, tokens
from tulpen.drill.problems import ScriptError

if TYPE_CHECKING:
    from collections.abc import Collection

_NUMBERS: Final = (Kind.NUMBER, Kind.HEX)


@final
class Cursor:
    """Where the parser stands.  Names that ``-D`` or ``--define`` defined are replaced as they are read."""

    def __init__(self, text: str, path: str, defined: dict[str, str]) -> None:
        self.path = path
        self.defined = defined
        self._tokens = list(tokens(text, path, defined))
        self._at = 0

    @property
    def now(self) -> Token:
        """The token that comes next."""
        token = self._tokens[self._at]
        value = self.defined.get(token.text) if token.kind is Kind.WORD else None
        return token if value is None else _replaced(token, value)

    def ahead(self, count: int = 1) -> Token:
        """Return a later token."""
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def next(self) -> Token:
        """Take the next token."""
        token = self.now
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def at_sign(self, sign: str) -> bool:
        """Say whether this sign comes next."""
        token = self.now
        return token.kind is Kind.SIGN and token.text == sign

    def at_word(self, *words: str) -> bool:
        """Say whether one of these words comes next."""
        token = self.now
        return token.kind is Kind.WORD and token.text in words

    def at(self, *kinds: Kind) -> bool:
        """Say whether a token of one of these kinds comes next."""
        return self.now.kind in kinds

    def skip_sign(self, sign: str) -> bool:
        """Take this sign if it comes next."""
        if self.at_sign(sign):
            self._at += 1
            return True
        return False

    def skip_word(self, *words: str) -> bool:
        """Take one of these words if it comes next."""
        if self.at_word(*words):
            self._at += 1
            return True
        return False

    def skip(self, kind: Kind) -> bool:
        """Take a token of this kind if it comes next."""
        if self.now.kind is kind:
            self._at += 1
            return True
        return False

    def sign(self, sign: str) -> None:
        """Take this sign, which must come next."""
        if not self.skip_sign(sign):
            self.fail(f"'{sign}'")

    def word(self, what: str, among: Collection[str] = ()) -> str:
        """Take a word, one of ``among`` if that is given."""
        token = self.now
        if token.kind is not Kind.WORD or (among and token.text not in among):
            self.fail(what)
        self._at += 1
        return token.text

    def number(self, what: str, most: int | None = None) -> int:
        """Take a number, not negative and at most ``most`` if that is given."""
        token = self.now
        if token.kind not in _NUMBERS:
            self.fail(what)
        value = int(token.text, 0) if token.kind is Kind.HEX else int(token.text)
        if most is not None and not 0 <= value <= most:
            self.error(f"{what} is out of range: {token.text} (0 to {most})", token)
        self._at += 1
        return value

    def take(self, kind: Kind, what: str) -> Token:
        """Take a token of this kind."""
        if self.now.kind is not kind:
            self.fail(what)
        return self.next()

    def fail(self, expected: str) -> NoReturn:
        """Say what was expected here."""
        self.error(f"expected {expected}, found {self.now}", self.now)

    def error(self, message: str, at: Token) -> NoReturn:
        """Raise for a token."""
        raise ScriptError(self.path, at.line, at.column, message)


def _replaced(token: Token, value: str) -> Token:
    """Return what a defined name stands for: a string, a command, a number or a word."""
    if value[:1] in ('"', "`") and value[-1:] == value[:1] and len(value) > 1:
        kind = Kind.STRING if value[0] == '"' else Kind.COMMAND
        return Token(kind, value[1:-1], token.line, token.column)
    try:
        int(value, 0)
    except ValueError:
        return Token(Kind.WORD, value, token.line, token.column)
    kind = Kind.HEX if value.lower().startswith("0x") else Kind.NUMBER
    return Token(kind, value, token.line, token.column)
