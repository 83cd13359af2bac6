"""Where trials are held: the folder for their captures, the kernel, and what it permits."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tulpen.errors import TulpenError
from tulpen.link.namespace import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def folder(wanted: Path | None) -> Iterator[Path]:
    """Give the folder for captures: the one that is asked for, or one that goes away."""
    if wanted is not None:
        wanted.mkdir(parents=True, exist_ok=True)
        yield wanted
        return
    made = Path(tempfile.mkdtemp(prefix="tulpen-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def permitted() -> Iterator[None]:
    """Say what can be done about it where private networks are not permitted."""
    try:
        yield
    except NotPermitted as error:
        raise TulpenError(error.reason, error.remedy) from error


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM, and a terminal that goes, end the run as Ctrl-C does, with everything tidied up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        sys.exit(128 + number)

    signals = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, end) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def kernel() -> str:
    """Return the kernel's name and release."""
    return f"{os.uname().sysname} {os.uname().release}"
