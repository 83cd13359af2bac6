"""Makes a copy of the package whose engine (wire, tcp, host) and reader of captures are compiled with mypyc.

The copy is complete, so PYTHONPATH=DIRECTORY is all that is needed to use it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "tulpen"
ENGINE = ("wire", "tcp", "host")
# Of the room capture, what every frame passes through; what opens files and holds rows stays Python.
CAPTURE = (
    "acks", "cause", "conversation", "dissect", "end", "evidence", "follower", "fragments", "frame", "frames", "hosts",
    "icmp", "legal", "links", "listeners", "machine", "mtu", "pcap", "pcapng", "reader", "resets", "rows", "seen",
    "text", "tunnels", "vantage", "verdict",
)  # fmt: skip


def compiled(directory: Path, rooms: tuple[str, ...] = ENGINE, *, optimize: int = 3) -> list[Path]:
    """Fill ``directory`` with the package, its ``rooms`` compiled; return the libraries that were made."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(SOURCE, directory / "tulpen", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    package = directory / "tulpen"
    files = [path for room in rooms for path in (package / room).glob("*.py")]
    files += [package / "capture" / f"{name}.py" for name in CAPTURE]
    modules = sorted(str(path.relative_to(directory)) for path in files)
    run = [sys.executable, str(Path(__file__).resolve()), "--here", "--optimize", str(optimize), *modules]
    done = subprocess.run(run, cwd=directory, capture_output=True, text=True, check=False)
    shutil.rmtree(directory / "build", ignore_errors=True)
    if done.returncode:
        raise SystemExit(f"tools/fast.py: mypyc or the C compiler failed:\n{done.stdout}{done.stderr}")
    return sorted(directory.rglob("*.so"))


def compile_here(modules: list[str], optimize: int) -> None:
    """Compile modules of the working directory, each beside its source."""
    from mypyc.build import mypycify
    from setuptools import setup

    how = ["--config-file=", "--strict", "--follow-imports=silent"]  # what is not compiled, make lint checks
    extensions = mypycify([*how, *modules], opt_level=str(optimize), debug_level="0", multi_file=True)
    jobs = str(len(os.sched_getaffinity(0)))
    setup(name="tulpen", ext_modules=extensions, script_args=["--quiet", "build_ext", "--inplace", "--parallel", jobs])


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="tools/fast.py", description=__doc__)
    parser.add_argument("where", nargs="+", help="the directory to fill; what is in it goes")
    parser.add_argument("--optimize", type=int, default=3, choices=range(4), help="as gcc's -O: 0 compiles soonest")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        compile_here(options.where, options.optimize)
    else:
        made = compiled(Path(options.where[0]), optimize=options.optimize)
        sys.stdout.write(f"{len(made)} libraries; use them with PYTHONPATH={options.where[0]}\n")


if __name__ == "__main__":
    main()
