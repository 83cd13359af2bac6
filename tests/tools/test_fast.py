"""The compiled build: what the tool makes works, and leaves the sources alone."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CODEC = """
from tulpen.wire import ip, segment
assert ip.__file__.endswith(".so"), ip.__file__
packet = ip.Packet(bytes(4), bytes([1, 2, 3, 4]), segment.Segment(1, 2, 0x10, 500, b"text", sport=1, dport=2))
assert ip.parse_packet(ip.build_packet(packet)) == packet
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_one_room_compiled(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("fast", ROOT / "tools" / "fast.py")
    assert spec is not None
    assert spec.loader is not None
    fast = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fast)
    made = fast.compiled(tmp_path / "fast", ("wire",), optimize=0)
    assert made
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "fast")}
    subprocess.run([sys.executable, "-c", CODEC], env=environment, cwd=tmp_path, check=True, timeout=60)
    assert not list((ROOT / "src").rglob("*.so"))
    assert not (tmp_path / "fast" / "build").exists()
