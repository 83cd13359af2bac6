from __future__ import annotations

import os
import shutil
import subprocess
import sys
from errno import EACCES, EBUSY, EINVAL, ENOSPC, ENOSYS, EPERM, EROFS, EUSERS

import pytest

from tests.link.rights import as_nobody, interpreter, needs_network, readable_source
from tulpen.link.permission import recognise

CASES = [
    ("user namespace", EPERM, {"sys/kernel/unprivileged_userns_clone": "0"}, "unprivileged_userns_clone=1"),
    ("user namespace", ENOSPC, {"sys/user/max_user_namespaces": "0"}, "user.max_user_namespaces=15000"),
    ("user namespace", EUSERS, {"sys/user/max_user_namespaces": "5"}, "user.max_user_namespaces=15000"),
    ("network namespace", ENOSPC, {"sys/user/max_net_namespaces": "0"}, "user.max_net_namespaces=15000"),
    ("user namespace", EPERM, {"self/status": "Name:\tx\nSeccomp:\t2\n"}, "--cap-add=SYS_ADMIN"),
    ("user namespace", ENOSYS, {}, "CONFIG_USER_NS"),
    ("user namespace", EINVAL, {}, "CONFIG_USER_NS"),
    ("user namespace", EPERM, {}, "run as root"),
    (
        "rights in the user namespace",
        EPERM,
        {"sys/kernel/apparmor_restrict_unprivileged_userns": "1"},
        "apparmor_restrict_unprivileged_userns=0",
    ),
    ("veth device", EPERM, {"sys/kernel/apparmor_restrict_unprivileged_userns": "1"}, "AppArmor forbids"),
    ("TUN device", EACCES, {}, "chmod 666 /dev/net/tun"),
    ("sysctl net.ipv4.tcp_sack", EROFS, {}, "--privileged"),
    ("sysctl net.core.rmem_max", EACCES, {}, "run as root"),
]


@pytest.mark.parametrize(("step", "errno", "proc", "words"), CASES)
def test_the_case_is_recognised_and_the_remedy_is_one_line(
    step: str, errno: int, proc: dict[str, str], words: str
) -> None:
    refused = recognise(step, errno, lambda path: proc.get(path, ""))
    assert refused is not None
    told = f"{refused}; {refused.remedy}"
    assert words in told
    assert "\n" not in told
    assert refused.__notes__ == [refused.remedy]


def test_what_is_no_matter_of_rights_is_not_recognised() -> None:
    assert recognise("TUN device", EBUSY, lambda path: "") is None
    assert recognise("veth device", ENOSPC, lambda path: "5") is None


# What follows really takes the rights away from a process, and asks for a network in it.

ASK = """
from tulpen.link.namespace import NotPermitted, PrivateNetwork
try:
    PrivateNetwork().close()
except NotPermitted as error:
    print(error.remedy)
else:
    print("permitted")
"""

# prctl(PR_SET_SECCOMP): unshare fails with EPERM, as in a container.
SECCOMP = """
import ctypes, os, struct
unshare = {"x86_64": 272, "aarch64": 97}[os.uname().machine]
program = [(0x20, 0, 0, 0), (0x15, 1, 0, unshare), (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)]
code = b"".join(struct.pack("=HBBI", *line) for line in program)
buffer = ctypes.create_string_buffer(code)
filter = struct.pack("@HP", len(program), ctypes.addressof(buffer))
prctl = ctypes.CDLL(None, use_errno=True).prctl
assert prctl(38, 1, 0, 0, 0) == 0
assert prctl(22, 2, ctypes.create_string_buffer(filter), 0, 0) == 0, ctypes.get_errno()
"""


def _ask(*before: str, program: str = ASK) -> str:
    python = interpreter()
    if python is None:
        pytest.skip("no Python that an ordinary user can run")
    with readable_source() as source:
        environment = {**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}
        words = [*before, python, "-c", program]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd="/")
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.root
@needs_network
def test_a_seccomp_filter_is_named() -> None:
    if os.uname().machine not in ("x86_64", "aarch64"):
        pytest.skip("the filter's system call numbers are those of x86_64 and aarch64")
    assert "--cap-add=SYS_ADMIN" in _ask(program=SECCOMP + ASK)


@pytest.mark.root
@needs_network
@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare(1) is not installed")
@pytest.mark.parametrize("kind", ["user", "net"])
def test_an_exhausted_quota_is_named(kind: str) -> None:
    # The quota is that of a user namespace of the test's own.
    drop = "exec setpriv --ambient-caps -all --inh-caps -all --bounding-set -all"
    shell = f'echo 0 > /proc/sys/user/max_{kind}_namespaces && {drop} "$@"'
    words = [*as_nobody(), "unshare", "--user", "--map-current-user", "--keep-caps", "sh", "-c", shell, "sh"]
    assert _ask(*words) == f"sudo sysctl user.max_{kind}_namespaces=15000"


@pytest.mark.root
@needs_network
def test_an_ordinary_program_is_permitted() -> None:
    assert _ask(*as_nobody()) == "permitted"
    assert sys.platform == "linux"
