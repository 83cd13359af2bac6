from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.link.rights import as_nobody, interpreter, readable_source
from tulpen.kernel.processes import command, command_line, owner, pids, processes

pytestmark = pytest.mark.kernel

LISTEN = "import socket; s = socket.create_server(('127.0.0.1', 0)); t = s.dup(); print('up', flush=True); input()"


@pytest.fixture
def listener() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def test_our_own_sockets_are_found() -> None:
    with socket.socket() as one, socket.socket() as two:
        found = processes(bpf=False)
        for each in (one, two):
            (holder,) = found.holders(os.fstat(each.fileno()).st_ino)
            assert (holder.pid, holder.fd) == (os.getpid(), each.fileno())
            assert holder.command == Path("/proc/self/comm").read_text().strip()
        assert {one.fileno(), two.fileno()} <= set(found.by_pid()[os.getpid()].fds)
    assert found.how == "/proc"


def test_a_socket_that_two_descriptors_share_has_two_holders(listener: subprocess.Popen[str]) -> None:
    found = processes()
    mine = found.by_pid()[listener.pid]
    (inode,) = set(mine.inodes)
    assert [(holder.pid, holder.fd) for holder in found.holders(inode)] == [(listener.pid, fd) for fd in mine.fds]
    assert len(mine.fds) == 2


def test_nobody_holds_what_has_no_inode() -> None:
    assert processes().holders(0) == []


def test_a_process_by_its_number(listener: subprocess.Popen[str]) -> None:
    assert listener.pid in pids()
    assert command_line(listener.pid) == [sys.executable, "-c", LISTEN]
    assert command(listener.pid) == Path(f"/proc/{listener.pid}/comm").read_text().strip()
    assert owner(listener.pid) == os.geteuid()


def test_what_has_ended_is_nobody() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert (command(ended.pid), command_line(ended.pid), owner(ended.pid)) == ("", [], None)


def test_descriptors_that_are_closed_meanwhile_do_no_harm(tmp_path: Path) -> None:
    """/proc as it may look halfway: a process without descriptors, one with a link that is no socket."""
    for pid, links in (("7", ["socket:[5]", "/dev/null"]), ("8", []), ("9", ["pipe:[4]", "socket:[6]"])):
        (tmp_path / pid / "fd").mkdir(parents=True)
        (tmp_path / pid / "comm").write_text(f"p{pid}\n")
        for number, target in enumerate(links):
            (tmp_path / pid / "fd" / str(number)).symlink_to(target)
    (tmp_path / "10").mkdir()
    (tmp_path / "self").mkdir()
    found = processes(proc=str(tmp_path))
    assert [tuple(process) for process in found.found] == [(7, "p7", [5], [0]), (9, "p9", [6], [1])]
    assert found.unseen == 0


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0 or interpreter() is None, reason="becomes another user; needs root")
def test_an_ordinary_user_is_told_of_what_it_may_not_see(listener: subprocess.Popen[str]) -> None:
    ask = (
        "from tulpen.kernel.processes import processes\n"
        "found = processes()\n"
        f"print(found.unseen > 0, {listener.pid} in found.by_pid())"
    )
    with readable_source() as source:
        said = subprocess.run(
            [*as_nobody(), f"PYTHONPATH={source}", str(interpreter()), "-c", ask],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
    assert said.stdout == "True False\n", said.stderr
