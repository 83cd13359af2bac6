"""What Linux does against the RFC, as packetdrill scripts: Linux passes, tulpen does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drill.test_kernel import in_time
from tests.link.rights import needs_network
from tulpen.drill.drill import Plan, drill
from tulpen.drill.verdict import Outcome

SCRIPTS = sorted(Path(__file__).with_name("deviations").glob("*.pkt"))
#: What a script shows of tulpen is the same: a listener's user has no handle of the half-open connection.
SHARED = {"request-forgotten"}


@pytest.mark.root
@pytest.mark.kernel
@needs_network
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_linux_does_it(script: Path) -> None:
    verdict = in_time(script, Plan(kernel=True, options={"tolerance_usecs": "300000"}))
    assert (verdict.outcome, verdict.reason) == (Outcome.PASS, "")


@pytest.mark.parametrize("script", [each for each in SCRIPTS if each.stem not in SHARED], ids=lambda path: path.stem)
def test_tulpen_does_not(script: Path) -> None:
    assert drill(str(script), Plan()).outcome is Outcome.FAIL


def test_there_are_some() -> None:
    assert len(SCRIPTS) >= 10
