"""Which process holds which socket, told by a program of ours in the kernel (``holders.bpf.c``).

Reading /proc takes one call of the system for every descriptor of every process, this
one for every page of them.  It needs Linux 5.17, root (CAP_BPF and CAP_PERFMON), and
the host's own pid namespace: the numbers it gives are those of the host.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final, final

from tulpen.kernel.bpf.libbpf import Object, Unavailable
from tulpen.kernel.processes import open_files

_OBJECT: Final = Path(__file__).with_name("holders.bpf.o")
_PROCESS: Final = struct.Struct("=III16s")  # pid, first, count, command
_NUMBER: Final = struct.Struct("=I")
_DESCRIPTOR: Final = 8  # octets: inode, fd
_HOST_PIDS: Final = 0xEFFF_FFFC  # the inode of the first pid namespace (linux/proc_ns.h)
_SPARE: Final = 1 << 14

Found = tuple[int, str, list[int], list[int]]  # pid, command, inodes, descriptors


@final
class Holders:
    """The program, loaded; ``take`` runs it."""

    __slots__ = ("_entries", "_object", "_path")

    def __init__(self, path: Path = _OBJECT, room: int | None = None) -> None:
        """Load the program, with room for so many descriptors at first; Unavailable says why that cannot be."""
        if os.stat("/proc/self/ns/pid").st_ino != _HOST_PIDS:
            raise Unavailable("this is a pid namespace of its own, and BPF gives the numbers of the host's")
        if not path.exists():
            raise Unavailable(f"{path.name} was not built: install clang, then `make bpf` or install tulpen again")
        self._path = str(path)
        self._load(open_files() * 5 // 4 + _SPARE if room is None else room)

    def take(self) -> list[Found]:
        """Return every process that holds sockets, by the pids."""
        text, used = self._run()
        if used > self._entries:  # processes that share their files, or many more since it was loaded
            self._object.close()
            self._load(2 * used + _SPARE)
            text, used = self._run()
        if used > self._entries:
            raise Unavailable("there are ever more descriptors")
        with self._object.mapped("descriptors", self._entries * _DESCRIPTOR) as memory:
            octets = memory[: used * _DESCRIPTOR]
        words = memoryview(octets).cast("I")
        found = []
        for pid, first, count, command in _PROCESS.iter_unpack(text[: len(text) // _PROCESS.size * _PROCESS.size]):
            start, end = 2 * first, 2 * (first + count)
            name = command.partition(b"\0")[0].decode(errors="replace")
            found.append((pid, name, words[start:end:2].tolist(), words[start + 1 : end : 2].tolist()))
        return sorted(found)

    def _load(self, entries: int) -> None:
        self._entries = entries
        self._object = Object(self._path, {"descriptors": self._entries})

    def _run(self) -> tuple[bytes, int]:
        """Run the program; return its text, and how many descriptors it found, with or without room."""
        with self._object.mapped(".bss", _NUMBER.size, writable=True) as variables:
            _NUMBER.pack_into(variables, 0, 0)
            text = self._object.run("holders")
            return text, int(_NUMBER.unpack_from(variables)[0])

    def close(self) -> None:
        """Unload the program."""
        self._object.close()
