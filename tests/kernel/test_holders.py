"""The program in the kernel says what /proc says."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.link.rights import as_nobody, interpreter, readable_source
from tulpen.kernel.bpf import holders as module
from tulpen.kernel.bpf.holders import Holders
from tulpen.kernel.bpf.libbpf import Object, Unavailable
from tulpen.kernel.processes import Process, processes

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.root, pytest.mark.kernel]


def _why_not() -> str:
    if not Path(module.__file__).with_name("holders.bpf.o").exists():
        if shutil.which("clang") is None:
            return "clang is not installed"
        subprocess.run([ROOT / "tools" / "bpf.sh"], check=True)
    try:
        Holders().close()
    except Unavailable as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def program() -> Iterator[Holders]:
    why_not = _why_not()
    if why_not:
        pytest.skip(why_not)
    found = Holders()
    yield found
    found.close()


def test_it_says_what_proc_says(program: Holders) -> None:
    with socket.socket() as one, socket.socket(socket.AF_UNIX) as two, os.fdopen(os.dup(one.fileno())) as again:
        descriptors = {one.fileno(), two.fileno(), again.fileno()}
        (ours,) = [Process(*each) for each in program.take() if each[0] == os.getpid()]
        theirs = processes(bpf=False).by_pid()[os.getpid()]
        assert ours.command == theirs.command
        assert sorted(zip(ours.fds, ours.inodes, strict=True)) == sorted(zip(theirs.fds, theirs.inodes, strict=True))
        assert descriptors <= set(ours.fds)


def test_it_can_be_asked_again(program: Holders) -> None:
    with socket.socket() as one:
        inode = os.fstat(one.fileno()).st_ino
        assert inode in {each for pid, _, inodes, _ in program.take() if pid == os.getpid() for each in inodes}
    assert inode not in {each for pid, _, inodes, _ in program.take() if pid == os.getpid() for each in inodes}


def test_many_descriptors_of_one_process(program: Holders) -> None:
    """More than the text of an iterator holds for one task."""
    held = [socket.socket(socket.AF_UNIX) for _ in range(600)]
    copies = [os.dup(held[0].fileno()) for _ in range(600)]
    try:
        (ours,) = [Process(*each) for each in program.take() if each[0] == os.getpid()]
        assert {each.fileno() for each in held} | set(copies) <= set(ours.fds)
        assert ours.inodes.count(os.fstat(held[0].fileno()).st_ino) == 601
    finally:
        for each in held:
            each.close()
        for copy in copies:
            os.close(copy)


def test_more_descriptors_than_it_was_loaded_for(program: Holders) -> None:
    """Children that share their parent's files have descriptors of their own, and no file more is open for it."""
    small = Holders(room=3)
    with socket.socket() as one:
        (ours,) = [Process(*each) for each in small.take() if each[0] == os.getpid()]
        assert ours.inodes[ours.fds.index(one.fileno())] == os.fstat(one.fileno()).st_ino
    small.close()


def test_it_can_be_required(program: Holders) -> None:
    with socket.socket() as one:
        found = processes(bpf=True)
        assert found.how == "bpf"
        assert [holder.fd for holder in found.holders(os.fstat(one.fileno()).st_ino)] == [one.fileno()]


def test_where_it_is_not_built_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"not built|pid namespace"):
        Holders(tmp_path / "holders.bpf.o")


def test_an_object_that_is_none(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.bpf.o"
    nonsense.write_bytes(b"\x7fELF nonsense")
    with pytest.raises(Unavailable):
        Object(str(nonsense), {})


@pytest.mark.skipif(os.geteuid() != 0 or interpreter() is None, reason="becomes another user; needs root")
def test_without_the_right_it_is_refused_and_proc_is_read() -> None:
    ask = (
        "from tulpen.errors import TulpenError\n"
        "from tulpen.kernel.processes import processes\n"
        "try:\n"
        "    processes(bpf=True)\n"
        "except TulpenError as error:\n"
        "    print(str(error)[:4], processes().how)"
    )
    with readable_source() as source:
        said = subprocess.run(
            [*as_nobody(), f"PYTHONPATH={source}", str(interpreter()), "-c", ask],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
    assert said.stdout == "BPF: /proc\n", said.stderr
