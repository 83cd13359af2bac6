"""Python between ``%{`` and ``}%``: assertions about a connection, in a namespace with nothing else in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Final, final

from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.tcp_info import CONSTANTS

if TYPE_CHECKING:
    from tulpen.drill.world import World

_ALLOWED: Final = (
    ast.Module, ast.Expr, ast.Assert, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.Pass, ast.Name, ast.Load,
    ast.Store, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword,
    ast.Tuple, ast.List, ast.JoinedStr, ast.FormattedValue, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip
_BUILTINS: Final = {
    "abs": abs, "bool": bool, "float": float, "int": int, "len": len, "max": max, "min": min, "range": range,
    "round": round, "str": str, "sum": sum, "True": True, "False": False, "None": None,
    "AssertionError": AssertionError,
}  # fmt: skip
FIELDS: Final = ("tcpi_", "bbr_", "vegas_", "dctcp_", "sk_meminfo_")


@final
class Names(MutableMapping[str, object]):
    """The names of a piece of code: the connection's fields, constants, and what pieces before it set."""

    def __init__(self, fields: dict[str, int], variables: dict[str, object]) -> None:
        self._fields = fields
        self._variables = variables

    def __getitem__(self, name: str) -> object:
        for names in (self._variables, self._fields, CONSTANTS):
            if name in names:
                return names[name]
        if name.startswith(FIELDS):
            raise Unsupported(f"the field {name} of struct tcp_info")
        raise KeyError(name)

    def __setitem__(self, name: str, value: object) -> None:
        self._variables[name] = value

    def __delitem__(self, name: str) -> None:
        del self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**CONSTANTS, **self._fields, **self._variables})

    def __len__(self) -> int:
        return len(list(iter(self)))


def run_code(world: World, text: str) -> None:
    """Run one piece; Mismatch where an assertion fails."""
    subject = world.subject
    if subject is None or subject.file is None:
        raise Mismatch("no connection to ask about: nothing was accepted")
    names = Names(subject.file.fields(world.now), world.variables)
    execute(world, checked(_parsed(text)), names, " ".join(text.split()))


def execute(world: World, tree: ast.Module, names: Names, said: str) -> None:
    """Run code that was checked; ``said`` is what a failure quotes."""

    def say(*what: object) -> None:
        world.remarks.append(" ".join(map(str, what)))

    try:
        exec(compile(tree, "%{ }%", "exec"), {"__builtins__": {**_BUILTINS, "print": say}}, names)
    except AssertionError as failed:
        words = f" (it says: {failed})" if failed.args else ""
        raise Mismatch(f"the assertion does not hold{words}", expected=said) from None
    except (Unsupported, Mismatch):
        raise
    except Exception as error:  # noqa: BLE001
        raise Mismatch(f"the code fails: {type(error).__name__}: {error}", expected=said) from None


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(_dedented(text))
    except SyntaxError as error:
        raise Mismatch(f"the code is no Python: {error.msg}") from None


def checked(tree: ast.Module) -> ast.Module:
    """Return the code, which may compare and compute, and nothing more."""
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise Unsupported(f"code with {type(node).__name__}")
        if isinstance(node, ast.Name) and node.id.startswith("__"):
            raise Unsupported(f"code with the name {node.id}")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            raise Unsupported("code with powers")
    return tree


def _dedented(text: str) -> str:
    """Return the code with its first line at the margin; the lines after it as they are, unless all are indented."""
    import textwrap

    first, newline, rest = text.lstrip(" \t").rstrip().rstrip("\\").partition("\n")
    if not first.strip():
        return textwrap.dedent(rest)
    return first + newline + textwrap.dedent(rest)
