"""Expressions of a script as Python's values."""

from __future__ import annotations

from tulpen.drill.expression import Any, Applied, Array, Expression, Field, LabelStack, Number, Or, Struct, Text, Word
from tulpen.drill.problems import Unsupported
from tulpen.drill.symbols import value_of


def integer(expression: Expression) -> int:
    """Return a number: of digits, a constant, or flags."""
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Word):
        found = value_of(expression.name)
        if found is None:
            raise Unsupported(f"the constant {expression.name}")
        return found
    if isinstance(expression, Or):
        total = 0
        for part in expression.parts:
            total |= integer(part)
        return total
    if isinstance(expression, Applied) and expression.name in ("htons", "htonl") and len(expression.arguments) == 1:
        return integer(expression.arguments[0])
    if isinstance(expression, Array) and len(expression.items) == 1:
        return integer(expression.items[0])
    raise Unsupported(f"{expression} where a number belongs")


def is_any(expression: Expression) -> bool:
    """Say whether it is the ellipsis."""
    return isinstance(expression, Any)


def text(expression: Expression) -> bytes | None:
    """Return a string, None if it is none."""
    if isinstance(expression, Array) and len(expression.items) == 1:
        expression = expression.items[0]
    return expression.value if isinstance(expression, Text) else None


__all__ = ["Expression", "Field", "LabelStack", "Struct", "integer", "is_any", "text"]
