"""The examples of the documentation run, and print what it says they print; what needs a cluster is left out."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAM = re.compile(
    r"^```(?:python|{code-block} python\n:class: (?P<needs>needs-network)\n)\n(?P<source>.*?)^```\n"
    r"(?:\n```text\n(?P<prints>.*?)```$)?",
    re.MULTILINE | re.DOTALL,
)


class Program(NamedTuple):
    """A program on a page."""

    name: str
    source: str
    prints: str | None
    needs_network: bool


def programs() -> list[Program]:
    found = []
    for page in PAGES:
        for number, match in enumerate(PROGRAM.finditer(page.read_text(encoding="utf-8")), 1):
            name = f"{page.relative_to(ROOT)}-{number}"
            if ">>>" not in match["source"]:
                found.append(Program(name, match["source"], match["prints"], match["needs"] is not None))
    return found


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_a_program(program: Program) -> None:
    if program.needs_network and not network_allowed():
        pytest.skip("no private network or no curl here")
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program.source], capture_output=True, text=True, check=False, timeout=180
    )
    assert ended.stderr == ""
    assert ended.returncode == 0
    if program.prints is not None:
        assert ended.stdout == program.prints


def network_allowed() -> bool:
    from tulpen import NotPermitted, PrivateNetwork

    try:
        PrivateNetwork().close()
    except NotPermitted:
        return False
    return shutil.which("curl") is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_dialogue(page: Path) -> None:
    text = re.sub(r"^```.*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    dialogue = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    assert doctest.DocTestRunner().run(dialogue).failed == 0
