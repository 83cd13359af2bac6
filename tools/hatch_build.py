"""What hatch builds with the package: programs for the kernel, if clang is there; with TULPEN_FAST=1 the engine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
from fast import compiled


class BuildHook(BuildHookInterface):
    """Runs ``tools/bpf.sh``, and ``tools/fast.py`` for a wheel that is wanted compiled."""

    def dependencies(self) -> list[str]:
        """Return what the second takes."""
        return ["mypy[mypyc]>=1.15"] if self._wants_fast() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build them."""
        self._build_bpf()
        if self._wants_fast() and version != "editable":
            self._build_engine(build_data)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what is in the wheel now."""
        if self._wants_fast() and version != "editable":
            self.made.cleanup()

    def _wants_fast(self) -> bool:
        return self.target_name == "wheel" and bool(os.environ.get("TULPEN_FAST"))

    def _build_bpf(self) -> None:
        """What cannot be built is left out, with a word."""
        script = Path(self.root, "tools", "bpf.sh")
        try:
            subprocess.run([str(script)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.display_warning(f"without BPF: {error}")

    def _build_engine(self, build_data: dict[str, Any]) -> None:
        """Put each library beside its source, in a wheel for this kind of machine."""
        self.made = tempfile.TemporaryDirectory()
        directory = Path(self.made.name) / "fast"
        for library in compiled(directory):
            build_data["force_include"][str(library)] = str(library.relative_to(directory))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
