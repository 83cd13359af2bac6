"""What the engine may import: the standard library. The rules between rooms are import-linter's (pyproject.toml)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import tulpen

SOURCE = Path(tulpen.__file__).parent
ENGINE = [path for room in ("wire", "tcp", "host") for path in sorted((SOURCE / room).glob("*.py"))]


def imported(path: Path) -> set[str]:
    """The top-level names that a module imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_engine_needs_the_standard_library_alone(path: Path) -> None:
    assert imported(path) <= {*sys.stdlib_module_names, "tulpen"}
