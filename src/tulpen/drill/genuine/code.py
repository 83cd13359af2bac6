"""The Python of a script as packetdrill gathers it: one file, run at the end, with every struct tcp_info as names."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tulpen.drill.code import FIELDS, Names, checked, execute
from tulpen.drill.problems import Mismatch

if TYPE_CHECKING:
    from tulpen.drill.world import World

_COMMAND: Final = re.compile(r"\S*python[\d.]* (/\S+)")
_MEMINFO: Final = "SK_MEMINFO_"


@dataclass(frozen=True, slots=True)
class Gathered:
    """The file: what packetdrill writes first, then for each piece the fields, the piece's place, and the piece."""

    path: Path

    def run(self, world: World, known: set[str]) -> None:
        """Run it here, with the fields that the host could tell; Mismatch where an assertion fails."""
        try:
            tree = ast.parse(self.path.read_text(encoding="utf-8", errors="replace"))
        except (OSError, SyntaxError) as error:
            raise Mismatch(f"the code is no Python: {error}") from None
        tree.body = [each for each in _after_preamble(tree.body) if not _is_unknown(each, known)]
        execute(world, checked(tree), Names({}, world.variables), "")


def gathered_code(command: str) -> Gathered | None:
    """Return the file that a command runs; None if it is another command."""
    found = _COMMAND.fullmatch(command.strip())
    return None if found is None else Gathered(Path(found[1]))


def _after_preamble(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return what comes after the handler that packetdrill puts in place: names and values, then the pieces."""
    for at, each in enumerate(body):
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
            return body[at:]
    return []


def _is_unknown(statement: ast.stmt, known: set[str]) -> bool:
    """Say whether it gives a value to a field that the host cannot tell, which is 0 there for want of a better one."""
    if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
        return False
    name = statement.targets[0].id
    return isinstance(statement.value, ast.Constant) and name not in known and name.startswith((*FIELDS, _MEMINFO))
