"""Where to look: the network namespace of this program, or another's that it may enter."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from errno import EPERM
from pathlib import Path
from typing import Protocol, final

from tulpen.errors import TulpenError
from tulpen.kernel.dump import Dump
from tulpen.link.syscalls import CLONE_NEWNET, setns


class Place(Protocol):
    """A network namespace whose sockets, counters and settings can be read, during a visit."""

    name: str  # "" where this program is

    def visit(self) -> AbstractContextManager[None]:
        """Be there for a while: what follows is called during a visit."""

    def inode(self) -> int:
        """Return what tells it from others, as in /proc/PID/ns/net."""

    def read(self, path: str) -> str:
        """Return the text of a file below /proc, ``net/netstat`` or ``sys/net/...``; raises OSError."""

    def dump(self) -> Dump:
        """Return what reads its sockets; the caller closes it."""


class Here:
    """The network namespace of this program."""

    name = ""

    def visit(self) -> AbstractContextManager[None]:
        """Stay."""
        return nullcontext()

    def inode(self) -> int:
        """Look at this thread's."""
        return Path("/proc/thread-self/ns/net").stat().st_ino

    def read(self, path: str) -> str:
        """Read a file of this thread's namespace; what is below ``net/`` the process's own link would mistake."""
        whole = Path("/proc/thread-self" if path.startswith("net/") else "/proc", path)
        return whole.read_text(encoding="ascii", errors="replace")

    def dump(self) -> Dump:
        """Open sock_diag(7) here."""
        return Dump()


@final
class There(Here):
    """Another network namespace, by a file that stands for it: /proc/PID/ns/net, /run/netns/NAME."""

    def __init__(self, name: str, path: str | os.PathLike[str]) -> None:
        self.name = name
        self.path = Path(path)

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Let this thread be there; raises TulpenError where it may not."""
        with ExitStack() as stack:
            there, here = (self._open(path, stack) for path in (self.path, Path("/proc/thread-self/ns/net")))
            try:
                setns(there, CLONE_NEWNET)
            except OSError as error:
                raise self._forbidden() if error.errno == EPERM else error from None
            stack.callback(setns, here, CLONE_NEWNET)
            yield

    def _open(self, path: Path, stack: ExitStack) -> int:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise TulpenError(
                f"there is no network namespace {self.name}", "ip netns shows those with a name."
            ) from None
        except PermissionError:
            raise self._forbidden() from None
        stack.callback(os.close, fd)
        return fd

    def _forbidden(self) -> TulpenError:
        return TulpenError(
            f"the network namespace {self.name} may not be entered",
            "run it as root: sudo tulpen doctor"
            if os.geteuid()
            else "that takes CAP_SYS_ADMIN, and CAP_SYS_PTRACE for the namespace of a process",
        )
