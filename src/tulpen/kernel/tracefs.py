"""Linux's trace files (tracefs), and an instance of our own in them that nothing else reads or sets.

Where tracefs is not mounted it is mounted for this process alone, attached to no path
(fsmount(2)), so that the machine's mounts stay as they are.  An instance bears the id of
its process; one whose process was killed is removed by whoever comes next.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import re
import time
from errno import EACCES, EBUSY, ENODEV, ENOENT, ENOSYS, EPERM
from pathlib import Path
from types import TracebackType
from typing import Final, final

from tulpen.errors import TulpenError

MOUNT: Final = "sudo mount -t tracefs nodev /sys/kernel/tracing"

_MOUNTED: Final = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_NAME: Final = re.compile(r"tulpen-(\d+)-(\d+)-\d+")
# The same numbers on every architecture that Linux 5.2 and later know, but alpha.
_FSOPEN: Final = 430
_FSCONFIG: Final = 431
_FSMOUNT: Final = 432
_CLOEXEC: Final = 1  # FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC
_CREATE: Final = 6  # FSCONFIG_CMD_CREATE

_libc: Final = ctypes.CDLL(None, use_errno=True)


class CannotTrace(TulpenError):
    """This user, or this kernel, cannot trace."""


@final
class Tracefs:
    """The trace files, by a path of this process; ``private``: mounted for this process alone."""

    __slots__ = ("_fd", "private", "root")

    def __init__(self) -> None:
        self._fd = -1
        self.private = False
        mounted = next((path for path in _MOUNTED if _is_tracefs(path)), None)
        if mounted is None:
            self._fd = _mount()
            self.private = True
            mounted = f"/proc/self/fd/{self._fd}"
        self.root = Path(mounted)

    def close(self) -> None:
        """Let go of the mount, if it is ours."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def remove_stale(self) -> list[str]:
        """Remove the instances that killed processes left behind; return their names."""
        removed = []
        for path in sorted((self.root / "instances").iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is None or _started(int(match[1])) == int(match[2]):
                continue
            try:
                path.rmdir()
            except OSError:
                continue  # its process lives in a PID namespace that we do not see into
            removed.append(path.name)
        return removed


@final
class Instance:
    """A set of ring buffers of our own: made when constructed, gone when closed; a context manager.

    Raises CannotTrace where the user may not make one.
    """

    __slots__ = ("_closed", "path")

    def __init__(self, tracefs: Tracefs) -> None:
        self._closed = False
        try:
            self.path = _make(tracefs.root / "instances")
        except OSError as error:
            raise _refused(error) from error

    def write(self, name: str, text: str) -> None:
        """Set one of the instance's files."""
        fd = os.open(self.path / name, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def read(self, name: str) -> str:
        """Return what one of the instance's files says."""
        return (self.path / name).read_text(encoding="utf-8", errors="replace")

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.path / name).exists()

    def close(self) -> None:
        """Remove the instance with its buffers; files in it must be closed.  Closing twice does no harm."""
        if self._closed:
            return
        self._closed = True
        until = time.monotonic() + 2
        while True:
            try:
                self.path.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError as error:
                # Who reads the files at this moment (a search through /sys) is soon gone.
                if error.errno != EBUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def __enter__(self) -> Instance:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _make(folder: Path) -> Path:
    """Make an instance that bears this process's id and start, and a number: a process may have several."""
    pid = os.getpid()
    for number in itertools.count():
        path = folder / f"tulpen-{pid}-{_started(pid)}-{number}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        except OSError:
            raise
        except BaseException:  # what ends the program came while the kernel made it, which takes a while
            with contextlib.suppress(OSError):
                path.rmdir()
            raise
        return path
    raise AssertionError


def _is_tracefs(path: str) -> bool:
    try:
        return Path(path, "instances").is_dir()
    except OSError:
        return False


def _started(pid: int) -> int:
    """Return when a process started, in ticks since boot; 0: there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(stat[stat.rindex(b")") :].split()[20])


def _mount() -> int:
    """Mount tracefs nowhere; return a descriptor of its root."""
    try:
        context = _call(_FSOPEN, b"tracefs", _CLOEXEC)
        try:
            _call(_FSCONFIG, context, _CREATE, None, None, 0)
            return _call(_FSMOUNT, context, _CLOEXEC, 0)
        finally:
            os.close(context)
    except OSError as error:
        raise _refused(error) from error


def _call(number: int, *arguments: object) -> int:
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *given))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _refused(error: OSError) -> CannotTrace:
    if error.errno in (EPERM, EACCES):
        return CannotTrace("tracing is for root", "run it with sudo")
    if error.errno in (ENODEV, ENOENT):
        return CannotTrace("this kernel has no tracefs", "use a kernel with CONFIG_TRACING")
    if error.errno == ENOSYS:
        return CannotTrace("tracefs is not mounted", MOUNT)
    return CannotTrace(f"no trace instance can be made: {error.strerror}", MOUNT)
