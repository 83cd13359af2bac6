"""Small files under /proc: read whole, written at once."""

from __future__ import annotations

import os


def read(path: str) -> str:
    """Return what a file says."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(fd, 65_536):
            parts.append(part)
        return b"".join(parts).decode()
    finally:
        os.close(fd)


def write(path: str, text: str) -> None:
    """Write ``text`` in one write(2), as these files want it."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
