"""Scripts against this machine's Linux."""

from __future__ import annotations

from pathlib import Path

import pytest

from tulpen.drill.drill import Plan, drill
from tulpen.drill.verdict import Outcome, Verdict
from tulpen.link.namespace import PrivateNetwork
from tulpen.link.permission import NotPermitted

SCRIPTS = Path(__file__).with_name("scripts")

#: Scripts that Linux does not have to agree with, and why.
APART = {
    "accecn": "a Linux before 7.0 takes no tcp_ecn of 3",
    "fast-open-client": "its window scale is that of another receive buffer",
    "fast-open-server": "it reads the counters of a tulpen host",
    "isn": "RFC 9293's clock of 4 µs; Linux counts every 64 ns",
    "keep-alive": "it takes minutes",
    "keep-alive-switched": "it takes ten seconds",
    "mtu-probing": "it changes a route",
    "pacing": "it changes how the link queues",
    "linger": "a call that blocks inside the kernel",
    "reconnected": "AF_UNSPEC",
    "silly-window": "Linux sends 1,200 octets to a window of 1,200",
    "simultaneous-open": "Linux repeats the options of its SYN, asked for or not",
    "syn-ack-timeout-most": "a Linux before 6.19 knows the ceiling for those alone that answer text",
    "unsent": "Linux has no such setting",
    "urgent-data": "Linux takes the last urgent octet out of the stream",
    "user-timeout": "Linux notices it with a retransmission, a moment after the script's close()",
}

try:
    PrivateNetwork().close()
    WHY_NOT = ""
except NotPermitted as refused:
    WHY_NOT = str(refused)


def in_time(script: Path, plan: Plan, tries: int = 3) -> Verdict:
    """Run a script in real time, where this process itself may be late; what is wrong is wrong each time."""
    for _ in range(tries - 1):
        verdict = drill(str(script), plan)
        if verdict.outcome is Outcome.PASS:
            return verdict
    return drill(str(script), plan)


@pytest.mark.kernel
@pytest.mark.root
@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("name", [path.stem for path in sorted(SCRIPTS.glob("*.pkt")) if path.stem not in APART])
def test_our_scripts_hold_for_linux_too(name: str) -> None:
    verdict = in_time(SCRIPTS / f"{name}.pkt", Plan(kernel=True, options={"tolerance_usecs": "100000"}))
    assert (verdict.outcome, verdict.reason) == (Outcome.PASS, "")
