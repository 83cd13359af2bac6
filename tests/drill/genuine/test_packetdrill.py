"""packetdrill itself, where the environment names it: it and our own interpreter must judge alike."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tulpen.drill.drill import Plan, drill
from tulpen.drill.profile import BSD, LINUX, Profile
from tulpen.drill.verdict import Outcome

PROGRAM = os.environ.get("PACKETDRILL")
LISTENS_IN_VAIN = re.compile(r"\blisten\([^)]*\) = -1")
SCRIPTS = Path(__file__).parents[1] / "scripts"

if not PROGRAM:
    pytest.skip("needs packetdrill: PACKETDRILL names none", allow_module_level=True)


@pytest.mark.parametrize("version", ["ipv4", "ipv4-mapped-ipv6", "ipv6"])
@pytest.mark.parametrize("profile", [LINUX, BSD], ids=lambda profile: profile.name)
@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.pkt")), ids=lambda path: path.stem)
def test_it_and_we_judge_our_own_scripts_alike(path: Path, profile: Profile, version: str) -> None:
    if LISTENS_IN_VAIN.search(path.read_text()):
        pytest.skip("packetdrill takes a socket for a listener although listen() has failed")
    plan = Plan(profile=profile, options={"ip_version": version}, ladder=False)
    ours = drill(str(path), plan)
    theirs = drill(str(path), Plan(profile=profile, options={"ip_version": version}, ladder=False, program=PROGRAM))
    if theirs.outcome is not Outcome.SKIP:
        assert (theirs.outcome, theirs.line) == (ours.outcome, ours.line), theirs.reason


BROKEN = {
    "flags": ("+0 > S. 0:0(0) ack 1 <...>", "+0 > . 0:0(0) ack 1 <...>"),
    "seq": ("+0 > S. 0:0(0) ack 1 <...>", "+0 > S. 0:0(0) ack 2 <...>"),
    "options": ("+0 > S. 0:0(0) ack 1 <...>", "+0 > S. 0:0(0) ack 1 <mss 1400>"),
    "time": ("+0 > S. 0:0(0) ack 1 <...>", "+.1 > S. 0:0(0) ack 1 <...>"),
    "result": ("write(4, ..., 1000) = 1000", "write(4, ..., 1000) = 999"),
    "errno": ("read(4, ..., 10) = -1 EAGAIN", "read(4, ..., 10) = -1 EPIPE"),
    "length": ("+0 > P. 1:1001(1000) ack 1", "+0 > P. 1:501(500) ack 1"),
    "nothing": ("+0 > P. 1:1001(1000) ack 1", "+0 > P. 1:1001(1000) ack 1\n+0 > . 1001:1001(0) ack 5"),
    "syntax": ("write(4, ..., 1000) = 1000", "write(4, ..., 1000) = "),
    "window": ("+0 > P. 1:1001(1000) ack 1", "+0 > P. 1:1001(1000) ack 1 win 7"),
    "tos": ("+0 > P. 1:1001(1000) ack 1", "+0 > [ect0] P. 1:1001(1000) ack 1"),
    "assertion": ("assert tcpi_snd_mss == 1000", "assert tcpi_snd_mss == 1001"),
}
SOUND = """\
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 read(4, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)
+0 %{ assert tcpi_snd_mss == 1000 }%
+0 write(4, ..., 1000) = 1000
+0 > P. 1:1001(1000) ack 1
"""


@pytest.mark.parametrize("fault", BROKEN)
def test_it_and_we_find_the_same_fault(tmp_path: Path, fault: str) -> None:
    right, wrong = BROKEN[fault]
    assert right in SOUND
    script = tmp_path / f"{fault}.pkt"
    script.write_text(SOUND.replace(right, wrong))
    ours = drill(str(script), Plan())
    theirs = drill(str(script), Plan(program=PROGRAM))
    assert ours.bad
    assert (theirs.outcome, theirs.line) == (ours.outcome, ours.line), theirs.reason


def test_a_sound_script_passes_with_both(tmp_path: Path) -> None:
    script = tmp_path / "sound.pkt"
    script.write_text(SOUND)
    for plan in (Plan(), Plan(program=PROGRAM)):
        assert not drill(str(script), plan).reason
