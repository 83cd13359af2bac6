"""Shell text, as far as set-up commands go: simple commands, pipes, redirections left out."""

from __future__ import annotations

import re
import shlex
from typing import Final, TypeAlias

from tulpen.drill.arithmetic import expanded
from tulpen.drill.problems import Unsupported

Pipeline: TypeAlias = list[list[str]]  # argument lists

OR: Final = "||"
_OR_AT_THE_END: Final = re.compile(r"\|\|\s*\n")
_SEPARATORS: Final = frozenset((";", "&&", OR, "&", "\n"))


def pipelines(text: str) -> list[list[Pipeline]]:
    """Return the commands in order, each a pipeline of argument lists, and behind it those to run if it fails."""
    joined = _OR_AT_THE_END.sub(f"{OR} ", expanded(text).replace("\\\n", " "))
    found: list[list[Pipeline]] = []
    for line in joined.splitlines():
        found += _line(line)
    return found


def _line(line: str) -> list[list[Pipeline]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&><")
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


def _take(found: list[list[Pipeline]], pipeline: Pipeline) -> None:
    if any(pipeline):
        found[-1].append(pipeline)
