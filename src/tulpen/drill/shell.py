"""Shell text, as far as set-up commands go: simple commands, pipes, redirections left out; or run as it is."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import Final, TypeAlias

from tulpen.drill.arithmetic import expanded
from tulpen.drill.problems import Unsupported

Pipeline: TypeAlias = list[list[str]]  # argument lists

OR: Final = "||"
_OR_AT_THE_END: Final = re.compile(r"\|\|\s*\n")
_ERRORS: Final = 2  # standard error, which JSON does not go to
_SEPARATORS: Final = frozenset((";", "&&", OR, "&", "\n"))


def lines_of(text: str) -> list[str]:
    """Return the lines of a script of the shell, those that go on in the next one joined."""
    return _OR_AT_THE_END.sub(f"{OR} ", text.replace("\\\n", " ")).splitlines()


def pipelines(line: str) -> list[list[Pipeline]]:
    """Return a line's commands, each a pipeline of argument lists, and behind it those to run if it fails."""
    lexer = shlex.shlex(expanded(line), posix=True, punctuation_chars=";|&><")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError as error:
        raise Unsupported(f"the command {line.strip()!r}: {error}") from None
    found: list[list[Pipeline]] = [[]]
    pipeline: Pipeline = [[]]
    skipping = False  # the file of a redirection
    for word in words:
        if skipping:
            skipping = False
        elif word in _SEPARATORS:
            _take(found, pipeline)
            if word != OR:
                found.append([])
            pipeline = [[]]
        elif word == "|":
            pipeline.append([])
        elif word[:1] in "<>" or word in (">&", "&>", "&>>"):
            skipping = True
            if pipeline[-1] and pipeline[-1][-1] in ("1", "2"):
                pipeline[-1].pop()
            if word[:1] == ">" and pipeline[-1][:1] == ["echo"]:
                skipping = False
                pipeline[-1].append(">")
        else:
            pipeline[-1].append(word)
    _take(found, pipeline)
    return [alternatives for alternatives in found if alternatives]


def run(line: str) -> int:
    """Give a line to sh(1), its output to standard error, and return its exit status."""
    return subprocess.run(("sh", "-c", line), stdin=subprocess.DEVNULL, stdout=_ERRORS, check=False).returncode


def _take(found: list[list[Pipeline]], pipeline: Pipeline) -> None:
    if any(pipeline):
        found[-1].append(pipeline)
