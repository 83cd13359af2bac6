"""Builds the programs for the kernel with the package, where clang is installed; without it they are left out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BpfBuildHook(BuildHookInterface):
    """Runs ``tools/bpf.sh``; what that cannot build is left out, with a word."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build them."""
        script = Path(self.root, "tools", "bpf.sh")
        try:
            subprocess.run([str(script)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.display_warning(f"without BPF: {error}")
