"""A command that runs inside a private network, and what came of it."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple, final

from tulpen.link.message import STATUS

LIMIT: Final = 16 * 1024 * 1024  # octets of each stream that are kept


class Output(NamedTuple):
    """What a command wrote to one stream."""

    data: bytes  # the first LIMIT octets
    size: int  # of everything
    sha256: str  # of everything

    @property
    def text(self) -> str:
        """The data as text; what is no UTF-8 is replaced."""
        return self.data.decode(errors="replace")


class Finished(NamedTuple):
    """How a command ended."""

    status: int  # its exit status, or minus the signal that killed it
    stdout: Output
    stderr: Output
    seconds: float
    timed_out: bool  # it was killed at its deadline

    @property
    def last_words(self) -> str:
        """The last line it wrote to stderr, or to stdout where that is empty."""
        lines = (self.stderr.text.strip() or self.stdout.text.strip()).splitlines()
        return lines[-1] if lines else ""


@final
class Capture:
    """Reads a pipe to its end in a thread, so that no command waits for its reader."""

    __slots__ = ("_data", "_digest", "_end", "_size", "_thread")

    def __init__(self, limit: int = LIMIT) -> None:
        self._data = bytearray()
        self._size = 0
        self._digest = hashlib.sha256()
        fd, self._end = os.pipe()
        self._thread = threading.Thread(target=self._read, args=(fd, limit), name="tulpen-capture", daemon=True)
        self._thread.start()

    def pass_on(self) -> int:
        """Return the writing end; once the command has it, ``passed`` gives up this process's copy."""
        return self._end

    def passed(self) -> None:
        """Close this process's copy of the writing end."""
        os.close(self._end)

    def output(self, patience: float = 1.0) -> Output:
        """Return what was written; a process that holds the pipe open for longer is not waited for."""
        self._thread.join(patience)
        return Output(bytes(self._data), self._size, self._digest.hexdigest())

    def _read(self, fd: int, limit: int) -> None:
        while data := os.read(fd, 1 << 16):
            self._digest.update(data)
            self._data += data[: max(0, limit - self._size)]
            self._size += len(data)
        os.close(fd)


@final
class Command:
    """A running command; ``fileno`` becomes readable when it has ended."""

    __slots__ = ("_began", "_deadline", "_ended", "_kill", "_status", "_stderr", "_stdout", "_timed_out", "argv",
                 "pid", "status")  # fmt: skip

    def __init__(
        self,
        argv: list[str],
        pid: int,
        status: int,
        stdout: Capture | None,
        stderr: Capture | None,
        kill: Callable[[int, int], None],
        deadline: float | None,
    ) -> None:
        self.argv = argv
        self.pid = pid
        self.status: int | None = None  # once it has ended: the exit status, or minus the signal
        self._status = status
        self._stdout = stdout
        self._stderr = stderr
        self._kill = kill
        self._began = time.monotonic()
        self._ended = 0.0
        self._deadline = None if deadline is None else self._began + deadline
        self._timed_out = False

    def fileno(self) -> int:
        """Return a descriptor that is readable once the command has ended; -1 when that has been seen."""
        return self._status

    def poll(self) -> int | None:
        """Return the status if the command has ended; kill it if its deadline has passed."""
        if self.status is None and self._readable(0.0):
            self._collect()
        elif self.status is None and self.remaining() == 0.0:
            self._timed_out = True
            self.kill()
            self._collect()
        return self.status

    def remaining(self) -> float | None:
        """Return the seconds until its deadline; None: it has none."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def wait(self) -> Finished:
        """Wait for the end, or until its deadline and kill it then; return what came of it."""
        while self.status is None:
            self._readable(self.remaining())
            self.poll()
        nothing = Output(b"", 0, hashlib.sha256().hexdigest())
        return Finished(
            self.status,
            self._stdout.output() if self._stdout else nothing,
            self._stderr.output() if self._stderr else nothing,
            self._ended - self._began,
            self._timed_out,
        )

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the command's process group."""
        if self.status is None:
            self._kill(self.pid, number)

    def _readable(self, seconds: float | None) -> bool:
        poll = select.poll()
        poll.register(self._status, select.POLLIN)
        return bool(poll.poll(None if seconds is None else seconds * 1000))

    def _collect(self) -> None:
        """Read the status; a keeper that died without telling one took the command with it."""
        data = os.read(self._status, STATUS.size)
        os.close(self._status)
        self._status = -1
        self._ended = time.monotonic()
        self.status = STATUS.unpack(data)[0] if data else -signal.SIGKILL
