"""What this machine lets the tests do: private networks, and being somebody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tulpen.link.namespace import NotPermitted, PrivateNetwork

SOURCE = Path(__file__).parents[2] / "src"
NOBODY = 65534


def _why_not() -> str:
    try:
        PrivateNetwork().close()
    except NotPermitted as error:
        return f"{error}; {error.remedy}"
    return ""


def _devices() -> list[str]:
    if why_not:
        return ["veth"]
    with PrivateNetwork() as network:
        return ["tun", "veth"] if network.device == "tun" else ["veth"]


why_not = _why_not()
needs_network = pytest.mark.skipif(bool(why_not), reason=why_not)
every_device = pytest.mark.parametrize("device", _devices())


def interpreter() -> str | None:
    """Return a Python that an ordinary user can run; None: there is none."""
    for candidate in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        test = [*as_nobody(), candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        if Path(candidate).exists() and subprocess.run(test, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return candidate
    return None


def as_nobody() -> list[str]:
    """Return the words that make a command run as an ordinary user: none where we are one."""
    if os.geteuid():
        return []
    # setpriv still has root's rights when it looks for the program; env has not.
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env"]


@contextmanager
def readable_source() -> Iterator[str]:
    """Give a copy of the package that everybody can read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(SOURCE / "tulpen", Path(folder) / "tulpen", ignore=shutil.ignore_patterns("__pycache__"))
        yield folder
