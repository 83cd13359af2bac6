from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from tests.doctor.room import Looked, Room, grew
from tests.link.rights import needs_network
from tulpen.doctor.examine import examine
from tulpen.doctor.finding import Severity
from tulpen.kernel.dump import Dump
from tulpen.link.namespace import PrivateNetwork
from tulpen.wire.checksum import internet_checksum

LIMIT = Path("/proc/sys/net/netfilter/nf_conntrack_max")
RULES = "add table ip t; add chain ip t c { type filter hook input priority 0; }; add rule ip t c ct state new accept"


def _why_not() -> str:
    if not LIMIT.exists() or shutil.which("nft") is None:
        return "needs nft and connection tracking"
    limit = int(LIMIT.read_text())
    return f"the table has room for {limit:,} entries, too many to fill" if limit > 300_000 else ""


pytestmark = [
    pytest.mark.root,
    pytest.mark.kernel,
    pytest.mark.slow,
    needs_network,
    pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "it can be filled"),
]


def _fill(network: PrivateNetwork, first: int, number: int) -> None:
    """Send so many datagrams, each from another port or to another: each is a flow of its own."""
    source, target = bytes([192, 0, 2, 9]), bytes([192, 0, 2, 1])
    for each in range(first, first + number):
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, source, target)
        head = head[:10] + internet_checksum(head).to_bytes(2, "big") + head[12:]
        network.link.write(head + struct.pack("!HHHH", 1024 + each % 60_000, 9 + each // 60_000, 8, 0))


class More(Looked):
    """A place to which new flows come before every look."""

    def __init__(self, room: Room, limit: int) -> None:
        super().__init__(room)
        self.limit = limit
        self.looks = 0

    def dump(self) -> Dump:
        _fill(self.room.network, self.limit + 50 * self.looks, 50)
        self.looks += 1
        return super().dump()


def test_the_table_is_full() -> None:
    with PrivateNetwork() as network:
        room = Room(network)
        prepared = network.run(["nft", RULES])
        if prepared.status:
            pytest.skip(f"nft does not track here: {prepared.last_words}")
        network.set_sysctl("net.netfilter.nf_conntrack_udp_timeout", 600)
        limit = int(network.read_file(str(LIMIT)))
        _fill(network, 0, limit)
        found = examine([More(room, limit)], seconds=0.3, interval=0.1, events=False).findings
        [finding] = [each for each in found if each.check == "conntrack"]
        assert finding.severity is Severity.CRITICAL
        assert "new connections are dropped" in finding.sentence
        assert grew(finding, "drop") + grew(finding, "early_drop") > 0
