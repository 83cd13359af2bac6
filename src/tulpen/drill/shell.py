"""Shell text, as far as set-up commands go: simple commands, pipes, redirections left out."""

from __future__ import annotations

import shlex
from typing import Final

from tulpen.drill.problems import Unsupported

_SEPARATORS: Final = frozenset((";", "&&", "||", "&", "\n"))


def pipelines(text: str) -> list[list[list[str]]]:
    """Return the commands in order, each a pipeline of argument lists."""
    joined = text.replace("\\\n", " ")
    found: list[list[list[str]]] = []
    for line in joined.splitlines():
        found += _line(line)
    return found


def _line(line: str) -> list[list[list[str]]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&><")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError as error:
        raise Unsupported(f"the command {line.strip()!r}: {error}") from None
    found: list[list[list[str]]] = []
    pipeline: list[list[str]] = [[]]
    skipping = False  # the file of a redirection
    for word in words:
        if skipping:
            skipping = False
        elif word in _SEPARATORS:
            found.append(pipeline)
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
    found.append(pipeline)
    return [commands for commands in found if any(commands)]
