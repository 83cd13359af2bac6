"""What makes the virtual environment says in one line what is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "venv.sh"
OLD = "#!/bin/sh\nexit 1\n"  # every question about it is answered with no
BARE = "#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; esac\n"  # new enough, and no venv


@pytest.mark.parametrize(
    ("python", "says"),
    [
        (OLD, "tulpen: Python 3.11 or newer is needed and {python} is not that; PYTHON=/path/to/python3 names one\n"),
        (
            BARE,
            "tulpen: {python} has no venv or ensurepip: install it (Debian, Ubuntu: apt-get install python3-venv)\n",
        ),
    ],
    ids=["old", "bare"],
)
def test_what_is_missing(python: str, says: str, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text(python)
    fake.chmod(0o755)
    ended = subprocess.run(
        [SCRIPT, tmp_path / "venv", "."],
        env=os.environ | {"PYTHON": str(fake)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", says.format(python=fake))
    assert not (tmp_path / "venv").exists()
