"""Shell arithmetic: ``$((32 * 1024))``."""

from __future__ import annotations

import ast
import operator
import re
from typing import Final

from tulpen.drill.problems import Unsupported

_EXPANSION: Final = re.compile(r"\$\(\(([^()]*(?:\([^()]*\)[^()]*)*)\)\)")
_OPERATORS: Final = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.Mod: operator.mod,
}


def expanded(text: str) -> str:
    """Return ``text`` with each ``$((...))`` of numbers in it worked out."""
    return _EXPANSION.sub(lambda found: str(_value(found[1])), text)


def _value(expression: str) -> int:
    try:
        return _worked_out(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError):
        raise Unsupported(f"the shell's $(({expression}))") from None


def _worked_out(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return int(_OPERATORS[type(node.op)](_worked_out(node.left), _worked_out(node.right)))
    raise ValueError
