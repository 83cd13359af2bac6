"""A small process without threads that forks a keeper for every private network.

A fork of the program itself would copy its threads' locks, its descriptors and its
memory.  A new interpreter for every network would take ten times as long: 30 ms to start
one that can do the work, 3 ms for a fork of it with a network made around it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final, final

from tulpen.link import message

_ROOT: Final = str(Path(__file__).parents[2])
_PROGRAM: Final = "import sys; sys.path.insert(0, sys.argv[1]); from tulpen.link.keeper import main; main()"


@final
class Nursery:
    """The process, as seen by the program that it is for; started with the first network, ended with the last."""

    __slots__ = ("_control", "_lock", "_networks", "_owner", "_process")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._networks = 0
        self._owner = 0
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def keeper(self) -> socket.socket:
        """Return the control socket of a new keeper."""
        near, far = socket.socketpair()
        with far, self._lock:
            if self._control is None or self._owner != os.getpid():
                self._start()
            assert self._control is not None
            message.send(self._control, None, (far.fileno(),))
            self._networks += 1
        return near

    def release(self) -> None:
        """A keeper is gone; with the last one the process ends."""
        with self._lock:
            if self._owner != os.getpid():
                return
            self._networks -= 1
            if self._networks == 0 and self._control is not None and self._process is not None:
                self._control.close()
                self._control = None
                self._process.wait()
                self._process = None

    def _start(self) -> None:
        near, far = socket.socketpair()
        with far:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, _ROOT, str(far.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                pass_fds=(far.fileno(),),
                start_new_session=True,  # Ctrl-C is for the program, which then ends the networks
            )
        self._owner = os.getpid()
        self._networks = 0
        self._control = near


NURSERY: Final = Nursery()
