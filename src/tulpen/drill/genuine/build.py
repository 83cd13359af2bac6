"""The shared object, made from ``shim.c`` by this machine's C compiler at its first use, and kept in a cache."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

from tulpen.errors import TulpenError

SOURCE: Final = Path(__file__).with_name("shim.c")
_COMPILERS: Final = ("cc", "gcc", "clang")
_FLAGS: Final = ("-std=gnu11", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra")
_LIBRARIES: Final = ("-ldl", "-lpthread")


def find_program(name: str) -> str:
    """Return the path of packetdrill, and have the object ready for it."""
    path = shutil.which(name)
    if path is None:
        raise TulpenError(f"{name}: no program", "--with takes packetdrill, by its path or a name in PATH.")
    shared_object()
    return path


def shared_object() -> Path:
    """Return the path of the object, made if it is not there."""
    source = SOURCE.read_bytes()
    path = _cache() / f"packetdrill-{sha256(source).hexdigest()[:16]}.so"
    if not path.exists():
        _make(path)
    return path


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tulpen"


def _make(path: Path) -> None:
    compiler = _compiler()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            made = Path(folder) / path.name
            done = subprocess.run(
                [*compiler, *_FLAGS, "-o", made, SOURCE, *_LIBRARIES], capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise TulpenError(f"{shlex.join(compiler)} cannot compile {SOURCE}:\n{done.stderr.rstrip()}")
            made.replace(path)
    except OSError as error:
        raise TulpenError(f"{path}: {error.strerror}", "XDG_CACHE_HOME names a folder for it.") from None


def _compiler() -> list[str]:
    """Return the command of the C compiler: CC's, or the first there is."""
    named = shlex.split(os.environ.get("CC", ""))
    for name in named[:1] or _COMPILERS:
        if shutil.which(name):
            return named or [name]
    raise TulpenError(
        f"no C compiler: {', '.join(named[:1] or _COMPILERS)} cannot be found",
        "packetdrill reaches tulpen through a small object in C: install gcc or clang, or name one in CC.",
    )


if __name__ == "__main__":
    print(shared_object())  # noqa: T201
