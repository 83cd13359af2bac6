"""An interactive shell inside a private network, on a terminal of its own that this process relays."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import sys
import termios
import tty
from typing import TYPE_CHECKING, Any, Final, Self, final

import click

from tulpen.cli.inside import ended

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tulpen.link.namespace import PrivateNetwork

# The keeper has made a session for the command; a shell that does job control needs the terminal to be its own.
_TAKE_TERMINAL: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


@final
class Terminal:
    """The user's terminal, in raw mode while the shell has it."""

    def __init__(self) -> None:
        self._ours, self._theirs = pty.openpty()
        self._saved: list[Any] | None = None

    def __enter__(self) -> Self:
        self._saved = termios.tcgetattr(0)
        tty.setraw(0)
        self._resize()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, self._resize)
        loop.add_reader(0, self._relay, 0, self._ours)
        loop.add_reader(self._ours, self._relay, self._ours, 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(0)
        loop.remove_reader(self._ours)
        loop.remove_signal_handler(signal.SIGWINCH)
        if self._saved is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, self._saved)
        os.close(self._ours)
        with contextlib.suppress(OSError):
            os.close(self._theirs)

    async def run(self, private: PrivateNetwork, env: Mapping[str, str]) -> int:
        """Run $SHELL inside until it ends; return its status."""
        shell = env.get("SHELL") or "/bin/sh"
        argv = [sys.executable, "-I", "-S", "-c", _TAKE_TERMINAL, shell]
        command = private.start(argv, env=env, stdin=self._theirs, stdout=self._theirs, stderr=self._theirs)
        return await ended(command)

    def say(self, line: str) -> None:
        """Write a line between what the shell writes."""
        line = click.unstyle(line) if os.environ.get("NO_COLOR") else line
        os.write(2, line.encode(errors="replace") + b"\r\n")

    def _relay(self, source: int, target: int) -> None:
        try:
            data = os.read(source, 65_536)
        except OSError:  # the shell has closed its side
            data = b""
        if data:
            os.write(target, data)
        else:
            asyncio.get_running_loop().remove_reader(source)

    def _resize(self) -> None:
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(self._ours, termios.TIOCSWINSZ, size)
