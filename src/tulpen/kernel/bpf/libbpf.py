"""The few calls of libbpf (version 1) that load an object and read an iterator, over ctypes."""

from __future__ import annotations

import ctypes
import os
from mmap import MAP_SHARED, PAGESIZE, PROT_READ, PROT_WRITE, mmap
from typing import Final, final

_FUNCTIONS: Final = (
    "bpf_object__open_file",
    "bpf_object__find_map_by_name",
    "bpf_object__find_program_by_name",
    "bpf_program__attach_iter",
)  # those that return a pointer


class Unavailable(Exception):
    """BPF cannot be used here; the text says why."""


@final
class Object:
    """An object file that was loaded into the kernel; closed, the kernel forgets it."""

    __slots__ = ("_library", "_links", "_object", "_path")

    def __init__(self, path: str, entries: dict[str, int]) -> None:
        """Load it, with so many ``entries`` in the maps of these names.

        Raises Unavailable where the library, the object or a right is missing, or the kernel does not take it.
        """
        self._library = _library()
        self._links: dict[str, int] = {}
        self._path = path
        self._object = self._library.bpf_object__open_file(os.fsencode(path), None)
        if not self._object:
            raise _failed(f"{path} cannot be opened")
        for name, number in entries.items():
            if self._library.bpf_map__set_max_entries(self._map(name), ctypes.c_uint32(number)):
                raise self._broken(f"the map {name} has no room for {number}")
        if self._library.bpf_object__load(self._pointer()):
            raise self._broken("the kernel does not take it")

    def run(self, program: str) -> bytes:
        """Run an iterator from its beginning to its end and return its text."""
        descriptor = self._library.bpf_iter_create(self._link(program))
        if descriptor < 0:
            raise _failed(f"{program} cannot be run")
        parts = []
        try:
            while part := os.read(descriptor, 1 << 16):
                parts.append(part)
        finally:
            os.close(descriptor)
        return b"".join(parts)

    def mapped(self, name: str, length: int, *, writable: bool = False) -> mmap:
        """Return the memory of an array that was made to be mapped, or of a section of variables (``.bss``)."""
        descriptor = self._library.bpf_map__fd(self._map(name))
        rights = PROT_READ | PROT_WRITE if writable else PROT_READ
        return mmap(descriptor, (length + PAGESIZE - 1) // PAGESIZE * PAGESIZE, MAP_SHARED, rights)

    def close(self) -> None:
        """Unload it; closing twice does no harm."""
        for link in self._links.values():
            self._library.bpf_link__destroy(ctypes.c_void_p(link))
        self._links.clear()
        if self._object:
            self._library.bpf_object__close(self._pointer())
            self._object = None

    def _link(self, program: str) -> int:
        if program not in self._links:
            found = self._library.bpf_object__find_program_by_name(self._pointer(), program.encode())
            link = self._library.bpf_program__attach_iter(ctypes.c_void_p(found), None) if found else None
            if not link:
                raise _failed(f"{program} cannot be attached")
            self._links[program] = link
        return int(self._library.bpf_link__fd(ctypes.c_void_p(self._links[program])))

    def _map(self, name: str) -> ctypes.c_void_p:
        found = self._library.bpf_object__find_map_by_name(self._pointer(), name.encode())
        if not found:
            raise self._broken(f"it has no map {name}")
        return ctypes.c_void_p(found)

    def _pointer(self) -> ctypes.c_void_p:
        return ctypes.c_void_p(self._object)

    def _broken(self, words: str) -> Unavailable:
        error = _failed(f"{self._path}: {words}")
        self.close()
        return error


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libbpf.so.1", use_errno=True)
    except OSError:
        raise Unavailable("libbpf.so.1 is not installed (Debian, Ubuntu: apt-get install libbpf1)") from None
    for name in _FUNCTIONS:
        getattr(library, name).restype = ctypes.c_void_p
    library.libbpf_set_print(None)  # what goes wrong is told by us
    return library


def _failed(words: str) -> Unavailable:
    return Unavailable(f"{words}: {os.strerror(ctypes.get_errno())}")
