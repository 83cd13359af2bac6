"""Which namespaces are meant: this one, one by name or process, or all of the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tulpen.doctor.place import Here, Place, There
from tulpen.doctor.words import count
from tulpen.errors import TulpenError
from tulpen.kernel.namespaces import namespaces

_RIGHT: Final = "that takes root, or CAP_SYS_PTRACE"


def of_process(pid: int) -> Place:
    """Return the network namespace of a process; raises TulpenError where there is no such process."""
    if not Path(f"/proc/{pid}").exists():
        raise TulpenError(f"there is no process {pid}")
    return There(f"of process {pid}", f"/proc/{pid}/ns/net")


def named(name: str) -> Place:
    """Return a namespace by the name that ``ip netns`` or a container has, or by its file; raises TulpenError."""
    if "/" in name:
        return There(name, name)
    for each in namespaces().found:
        if name == each.name or (len(name) >= 12 and name.startswith(each.name) and each.name):
            return There(each.name, each.path)
    raise TulpenError(
        f"there is no network namespace {name}", "ip netns shows those with a name; --pid takes any process in it."
    )


def everywhere() -> tuple[list[Place], tuple[str, ...]]:
    """Return every namespace of the machine that is to be seen, and what is not."""
    seen = namespaces()
    found: list[Place] = [There(each.name, each.path) if each.name else Here() for each in seen.found]
    if not seen.unseen:
        return found, ()
    return found, (f"the network namespaces of {count(seen.unseen, 'process', 'processes')}: {_RIGHT}",)
