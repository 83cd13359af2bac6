"""What can go wrong with a script, each with its own exit: it is misspelt, not for us, or the TCP differs."""

from __future__ import annotations

from tulpen.errors import TulpenError


class ScriptError(TulpenError):
    """The text is no script: where, and what was expected there.  Line 0 is the command line."""

    def __init__(self, path: str, line: int, column: int, message: str) -> None:
        super().__init__(f"{path}:{line}:{column}: {message}" if line else message)
        self.path = path
        self.line = line
        self.column = column
        self.message = message


class Unsupported(Exception):
    """The script needs what tulpen has not: it is skipped, for this reason."""


class Mismatch(Exception):
    """The script expected one thing and another came."""

    def __init__(self, what: str, *, expected: str = "", got: str = "", warning: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.got = got
        self.warning = warning  # what --non_fatal turns into a remark
