"""The names that ``import tulpen`` gives."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tulpen


@pytest.mark.parametrize("name", tulpen.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(tulpen, name).__name__ == name
    assert name in dir(tulpen)


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tulip'"):
        tulpen.tulip  # noqa: B018


def test_importing_tulpen_loads_nothing_else() -> None:
    probe = "import sys, tulpen; print([name for name in sys.modules if name.startswith('tulpen.')])"
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60).stdout
    assert out == "[]\n"
