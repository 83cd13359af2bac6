from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.link.rights import as_nobody, interpreter, needs_network, readable_source
from tulpen.kernel.namespaces import Namespace, container, namespaces, sockets_in
from tulpen.kernel.sock_diag import NETLINK_SOCK_DIAG, SockDiag
from tulpen.link.namespace import PrivateNetwork
from tulpen.tcp.state import State

pytestmark = pytest.mark.kernel
DIAG = (socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)


def test_our_own_comes_first_and_has_us() -> None:
    found = namespaces().found
    assert found[0].inode == Path("/proc/self/ns/net").stat().st_ino
    assert os.getpid() in found[0].pids
    assert found[0].name == ""


@pytest.mark.root
@needs_network
def test_a_network_is_found_by_its_process() -> None:
    with PrivateNetwork() as network:
        there = Path(f"/proc/{network.pid}/ns/net").stat().st_ino
        found = namespaces()
        (place,) = [each for each in found.found if each.inode == there]
        assert network.pid in place.pids
        assert place == found.of(network.pid)
        assert place.name == f"{place.pids[0]}/{Path(f'/proc/{place.pids[0]}/comm').read_text().strip()}"
    until = time.monotonic() + 60  # its last process may need a moment to be gone
    while any(place.pids[0] in each.pids for each in namespaces().found):
        assert time.monotonic() < until


@pytest.mark.root
@needs_network
@pytest.mark.skipif(os.geteuid() != 0, reason="entering another network namespace needs root")
def test_a_socket_in_each() -> None:
    own = Path("/proc/thread-self/ns/net").stat().st_ino
    with PrivateNetwork() as one, PrivateNetwork() as two:
        with one.open_socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.bind(("192.0.2.1", 80))
            listener.listen()
            found = namespaces()
            places = [place for place in (found.of(one.pid), found.of(two.pid)) if place]
            assert len(places) == 2
            seen = []
            for made in sockets_in(places, *DIAG):
                assert isinstance(made, socket.socket)
                diag = SockDiag(made)
                seen.append([each.state for each in diag.sockets()])
                diag.close()
        assert seen == [[State.LISTEN], []]
    assert Path("/proc/thread-self/ns/net").stat().st_ino == own


@pytest.mark.skipif(os.geteuid() != 0, reason="without rights it is the rights that are missing")
def test_a_namespace_that_has_ended_is_not_taken_for_another() -> None:
    own = namespaces().found[0]
    gone = Namespace(1, "gone", (1 << 30,), f"/proc/{1 << 30}/ns/net")
    another = Namespace(1, "another", own.pids, own.path)
    first, second, third = sockets_in([gone, another, own], *DIAG)
    assert isinstance(first, FileNotFoundError)
    assert isinstance(second, ProcessLookupError)
    assert isinstance(third, socket.socket)
    third.close()


@pytest.mark.root
@needs_network
@pytest.mark.skipif(os.geteuid() != 0 or interpreter() is None, reason="becomes another user; needs root")
def test_an_ordinary_user_is_told_what_it_may_not_enter() -> None:
    ask = (
        "import os\n"
        "from tulpen.kernel.namespaces import Namespace, namespaces, sockets_in\n"
        "found = namespaces()\n"
        "print(found.unseen > 0, [os.getpid() in each.pids for each in found.found])\n"
        "print([type(each).__name__ for each in sockets_in([*found.found, Namespace(1, '', (1,), '/proc/1/ns/net')],"
        " 16, 3, 4)])"
    )
    with readable_source() as source:
        said = subprocess.run(
            [*as_nobody(), f"PYTHONPATH={source}", str(interpreter()), "-W", "ignore", "-c", ask],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
    first, second = said.stdout.splitlines()
    assert first.startswith("True [True"), said.stderr
    assert second.startswith("['socket', "), said.stderr
    assert second.endswith("'PermissionError']"), said.stderr


@pytest.mark.parametrize(
    ("groups", "name"),
    [
        (f"0::/system.slice/docker-{'0123456789ab' * 5}cdef.scope\n", "0123456789ab"),
        (f"4:memory:/docker/{'0123456789ab' * 5}cdef\n0::/\n", "0123456789ab"),
        (
            "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1b2.slice/cri-containerd-"
            f"{'fedcba987654' * 5}3210.scope\n",
            "fedcba987654",
        ),
        (f"0::/machine.slice/libpod-{'0123456789ab' * 5}cdef.scope/container\n", "0123456789ab"),
        ("0::/lxc.payload.web/init.scope\n", "web"),
        ("4:cpu:/lxc/mail\n", "mail"),
        ("0::/machine.slice/machine-db.scope/payload\n", "db"),
        ("0::/user.slice/user-0.slice/session-1.scope\n", ""),
        ("", ""),
    ],
)
def test_a_container_is_told_by_its_control_group(groups: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "cgroup").write_text(groups)
    assert container(1, proc=str(tmp_path)) == name
    assert container(2, proc=str(tmp_path)) == ""


def test_names_that_are_left_over_are_none(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    (tmp_path / "ours").symlink_to("/proc/self/ns/net")
    found = namespaces(mounted=[str(tmp_path), str(tmp_path / "absent")]).found
    assert [each.name for each in found if "old" in each.path] == []
    assert found[0].name == ""


def test_a_name_is_one_word_that_can_be_typed(tmp_path: Path) -> None:
    for process in ("self", "7"):
        (tmp_path / process / "ns").mkdir(parents=True)
        (tmp_path / process / "ns" / "net").touch()
    (tmp_path / "7" / "comm").write_bytes(b"Web Co\x1b[1m\n")
    (other,) = namespaces(proc=str(tmp_path), mounted=()).found
    assert other.name == "7/Web_Co_[1m"
