"""A private network without root: in a user namespace, on TUN where it opens and on veth where it does not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.link.rights import as_nobody, interpreter, needs_network, readable_source

pytestmark = [pytest.mark.root, needs_network]

PROGRAM = """
import os, sys
from pathlib import Path
from tests.link.echo import serve
from tulpen.link.namespace import PrivateNetwork

assert os.geteuid() != 0
before = os.readlink("/proc/self/ns/user"), os.readlink("/proc/self/ns/net")
with PrivateNetwork(sysctls={"net.ipv4.tcp_fin_timeout": 7}) as network:
    assert network.user_namespace
    for target in ("192.0.2.2", "2001:db8::2"):
        finished = serve(network.link, network.start(["ping", "-c", "1", target], deadline=60))
        assert finished.status == 0, finished
    assert network.run(["id", "-u"]).stdout.text == f"{os.geteuid()}\\n"
    assert network.run(["id", "-g"]).stdout.text == f"{os.getegid()}\\n"
    assert "CapEff:\\t0000000000000000" in network.run(["cat", "/proc/self/status"]).stdout.text
    network.set_sysctl("net.ipv4.tcp_sack", 0)
    assert network.sysctl("net.ipv4.tcp_sack") == "0"
    assert network.run(["cat", "/proc/sys/net/ipv4/tcp_fin_timeout"]).stdout.text == "7\\n"
    assert network.run(["sleep", "9"], deadline=0.1).timed_out
    assert before == (os.readlink("/proc/self/ns/user"), os.readlink("/proc/self/ns/net"))
    print(network.device)
"""

# A /dev/net of the test's own, seen by nobody else.
WITH_TUN = 'mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec "$@"'
WITHOUT_TUN = 'mount -t tmpfs none /dev/net && exec "$@"'


def _run(*before: str) -> str:
    python = interpreter()
    if python is None:
        pytest.skip("no Python that an ordinary user can run")
    with readable_source() as source:
        tests = Path(source) / "tests" / "link"
        tests.mkdir(parents=True)
        shutil.copy(Path(__file__).parent / "echo.py", tests)
        environment = {**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}
        words = [*before, *as_nobody(), python, "-c", PROGRAM]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd="/")
    assert done.stderr == ""
    return done.stdout.strip()


def test_with_the_devices_of_this_machine() -> None:
    assert _run() in ("tun", "veth")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to lay out a /dev/net of its own")
@pytest.mark.parametrize(("shell", "device"), [(WITH_TUN, "tun"), (WITHOUT_TUN, "veth")])
def test_on_tun_where_it_opens_and_on_veth_where_not(shell: str, device: str) -> None:
    if not Path("/dev/net").is_dir():
        pytest.skip("there is no /dev/net to mount on")
    assert _run("unshare", "--mount", "sh", "-c", shell, "sh") == device
