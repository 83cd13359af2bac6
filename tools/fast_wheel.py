"""Hatch's build hook for a wheel with the compiled engine: HATCH_BUILD_HOOKS_ENABLE=1 pip wheel ."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
from fast import compiled


class FastWheel(BuildHookInterface[Any]):
    """Puts the libraries beside their sources, and says that the wheel is for this machine."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return ["mypy[mypyc]>=1.15"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        self.made = tempfile.TemporaryDirectory()
        directory = Path(self.made.name) / "fast"
        for library in compiled(directory):
            build_data["force_include"][str(library)] = str(library.relative_to(directory))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self.made.cleanup()
