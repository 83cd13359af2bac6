"""Scripts against this machine's Linux."""

from __future__ import annotations

from pathlib import Path

import pytest

from tulpen.drill.drill import Plan, drill
from tulpen.drill.verdict import Outcome
from tulpen.link.namespace import PrivateNetwork
from tulpen.link.permission import NotPermitted

SCRIPTS = Path(__file__).with_name("scripts")

try:
    PrivateNetwork().close()
    WHY_NOT = ""
except NotPermitted as refused:
    WHY_NOT = str(refused)


@pytest.mark.kernel
@pytest.mark.root
@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("name", ["refused", "closed-port", "half-close", "nagle", "over-ipv6", "rfc5961"])
def test_our_scripts_hold_for_linux_too(name: str) -> None:
    verdict = drill(str(SCRIPTS / f"{name}.pkt"), Plan(kernel=True, options={"tolerance_usecs": "100000"}))
    assert (verdict.outcome, verdict.reason) == (Outcome.PASS, "")
