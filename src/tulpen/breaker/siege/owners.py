"""Whose a socket is: the process that holds its inode open."""

from __future__ import annotations

from pathlib import Path


def owners(network: int) -> dict[int, str]:
    """Return the program and process of every socket inode that is open in the network of process ``network``."""
    inside = _network_of(str(network))
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        pid = entry.name
        if pid.isdigit() and inside is not None and _network_of(pid) == inside:
            found |= dict.fromkeys(_sockets(entry), f"{_program(entry)} ({pid})")
    return found


def _network_of(pid: str) -> int | None:
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except OSError:
        return None


def _sockets(process: Path) -> list[int]:
    inodes = []
    try:
        for fd in (process / "fd").iterdir():
            target = str(fd.readlink())
            if target.startswith("socket:["):
                inodes.append(int(target[8:-1]))
    except OSError:
        pass  # it has ended, or is somebody else's
    return inodes


def _program(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "?"
