"""The same without rights: an ordinary user's private network, its kernel's TCP and a tulpen host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

NOBODY: Final = 65_534
SOURCE: Final = Path(__file__).parents[2] / "src"

SERVE: Final = """
import asyncio, sys
from tulpen import Host, Interface
from tulpen.link.namespace import OUTSIDE, NotPermitted, PrivateNetwork

async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.0 200 OK\\r\\n\\r\\nserved")
    writer.close()

async def main():
    try:
        private = PrivateNetwork()
    except NotPermitted as reason:
        sys.exit(f"not permitted: {reason}")
    with private:
        async with Interface(Host(OUTSIDE), private.link) as net:
            await net.start_server(answer, None, 80)
            for host in (OUTSIDE[0], f"[{OUTSIDE[1]}]"):
                command = private.start(["curl", "-sS", f"http://{host}/"], deadline=60)
                done = await asyncio.get_running_loop().run_in_executor(None, command.wait)
                print(done.stdout.text, done.stderr.text, private.user_namespace)

asyncio.run(main())
"""


def as_nobody(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command without any rights, and wait for it."""
    env = {"PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/", "PATH": os.environ["PATH"]}
    return subprocess.run(
        argv, user=NOBODY, group=NOBODY, extra_groups=[], env=env, cwd="/", capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter that anybody may run and that can read the source."""
    here = shutil.which("python3", path="/usr/local/bin:/usr/bin")
    reason = "no Python that an ordinary user may run"
    for candidate in filter(None, (sys.executable, here)):
        try:
            tried = as_nobody(candidate, "-c", "import sys; assert sys.version_info >= (3, 11); import tulpen")
        except PermissionError:
            continue
        if tried.returncode == 0:
            return candidate
        reason = tried.stderr.strip().splitlines()[-1]
    pytest.skip(f"an ordinary user cannot run this: {reason}")


def test_curl_is_served(python: str) -> None:
    done = as_nobody(python, "-c", SERVE)
    if done.returncode and done.stderr.startswith("not permitted"):
        pytest.skip(done.stderr.strip())
    assert (done.stdout, done.stderr) == ("served  True\n" * 2, "")
