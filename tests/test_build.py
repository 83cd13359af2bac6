"""Which build of the engine the tests run on: the sources, unless TULPEN_FAST says that it is compiled."""

from __future__ import annotations

import os
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "module", ["tulpen.wire.segment", "tulpen.tcp.arrives", "tulpen.host.host", "tulpen.capture.conversation"]
)
def test_the_build_is_the_one_asked_for(module: str) -> None:
    path = import_module(module).__file__
    assert path is not None
    assert path.endswith(".so") == bool(os.environ.get("TULPEN_FAST"))
