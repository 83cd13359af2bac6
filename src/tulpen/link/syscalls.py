"""The system calls that Python 3.11 does not have: unshare(2), setns(2) and prctl(2)."""

from __future__ import annotations

import ctypes
import os
from typing import Final

CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWNET: Final = 0x4000_0000

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36

_libc: Final = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the namespaces that ``flags`` names for new ones."""
    if _libc.unshare(ctypes.c_int(flags)) != 0:
        _fail("unshare")


def setns(fd: int, kind: int) -> None:
    """Move this thread into the namespace that ``fd`` stands for."""
    if _libc.setns(ctypes.c_int(fd), ctypes.c_int(kind)) != 0:
        _fail("setns")


def die_with_parent(signal: int) -> None:
    """Have ``signal`` sent to this process when its parent's thread ends; exec keeps it."""
    _prctl(_PR_SET_PDEATHSIG, signal)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    if _libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero) != 0:
        _fail("prctl")


def _fail(name: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"{name}: {os.strerror(number)}")
