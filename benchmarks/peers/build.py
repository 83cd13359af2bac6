"""Peers whose glue is compiled, once, into ``build/benchmarks``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from benchmarks.case import Unavailable

HERE = Path(__file__).parent
OUTPUT = HERE.parent.parent / "build" / "benchmarks"


@cache
def built(source: str, argv: tuple[str, ...], env: tuple[tuple[str, str], ...] = (), *, needs: str) -> Path:
    """Return the program that ``argv`` makes of ``source``; "{source}" and "{program}" stand for the two.

    ``needs``: the Debian packages that it takes.
    """
    code = HERE / source
    program = OUTPUT / code.stem
    if program.exists() and program.stat().st_mtime > code.stat().st_mtime:
        return program
    if shutil.which(argv[0]) is None:
        raise Unavailable(f"not there: apt install {needs}")
    try:
        OUTPUT.mkdir(parents=True, exist_ok=True)
    except PermissionError:
        raise Unavailable(f"not built, and this user may not write to {OUTPUT}") from None
    command = [word.format(source=code, program=program) for word in argv]
    _run(command, dict(os.environ) | dict(env), needs)
    return program


def _run(command: Sequence[str], env: Mapping[str, str], needs: str) -> None:
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"not built within 300 s ({needs})") from None
    if done.returncode:
        raise Unavailable(f"not there, or of another version than Debian 12's: apt install {needs}")
