"""tshark counts the same connections."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.capture.files import Talk, orderly, pcap, pcapng
from tests.capture.made import Made
from tests.capture.test_links import LINKS, PACKETS
from tests.capture.test_verdicts import closed_by
from tests.sim.pair import MS, both, short
from tulpen.capture.reading import read
from tulpen.sim.conversations import Echo, Source
from tulpen.sim.filters import Duplication, Loss, Reordering

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

LIKE = ("ethernet", "VLAN", "QinQ", "PPPoE", "MPLS", "loopback", "PPP", "raw", "cooked", "cooked 2", "802.11")


def streams(path: Path) -> int:
    command = ["tshark", "-r", str(path), "-Y", "tcp", "-T", "fields", "-e", "tcp.stream"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return len(set(done.stdout.split()))


def test_names_used_again_and_new_ones(tmp_path: Path) -> None:
    again = closed_by(0)
    again.isn = (9_000_000, 7_000_000)
    again.opened()
    inside = Talk(sport=41_000).opened()
    inside.isn = (77_000_000, 5000)
    inside.client("S").server("S.", 0, 1)
    packets = [packet for talk in (again, inside, orderly()) for packet in talk.packets]
    path = tmp_path / "names.pcapng"
    path.write_bytes(pcapng(packets))
    assert len(read(path)) == streams(path) == 5


@pytest.mark.parametrize("name", LIKE)
def test_link_types(name: str, tmp_path: Path) -> None:
    link, header, _ = LINKS[name]
    path = tmp_path / "link.pcap"
    path.write_bytes(pcap(PACKETS, link=link, header=header))
    assert len(read(path)) == streams(path) == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_bad_network(seed: int, tmp_path: Path) -> None:
    bad = both(
        short, lambda c: Loss(c, 0.1), lambda c: Reordering(c, 0.1, 15 * MS), lambda c: Duplication(c, 0.1, 5 * MS)
    )
    made = Made(tmp_path, Source(30_000), Echo, there=bad, back=bad, seed=seed).run()
    assert len(made.read("client")) == streams(made.files["client"]) == 1
