from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.link.rights import SOURCE
from tulpen.link.pipe import pipe
from tulpen.link.tee import INBOUND, OUTBOUND, PcapngWriter, Tee
from tulpen.wire.ip import Offload

PING = bytes.fromhex("4500001c000140004001f6dcc0000201c0000202") + bytes.fromhex("0800f7fd00010001")
PONG = bytes.fromhex("4500001c000140004001f6dcc0000202c0000201") + bytes.fromhex("0000fffd00010001")


def _blocks(data: bytes) -> list[tuple[int, bytes]]:
    """Return (type, body) of every block, and check what frames them."""
    blocks = []
    while data:
        kind, length = struct.unpack_from("=II", data)
        assert length % 4 == 0
        assert data[length - 4 : length] == data[4:8]
        blocks.append((kind, data[8 : length - 4]))
        data = data[length:]
    return blocks


def _options(data: bytes) -> list[tuple[int, bytes]]:
    options: list[tuple[int, bytes]] = []
    while True:
        code, length = struct.unpack_from("=HH", data)
        if code == 0:
            return options
        options.append((code, data[4 : 4 + length]))
        data = data[4 + length + -length % 4 :]


def test_every_block_is_as_the_draft_says(tmp_path: Path) -> None:
    left, right = pipe()
    clock = iter([1_700_000_000_123_456_789, 1_700_000_001_000_000_001]).__next__
    tee = Tee(left, PcapngWriter(tmp_path / "x.pcapng", comment="a run"), clock=clock)
    right.write(PING)
    tee.comment("first")
    tee.comment("second")
    assert tee.read() == [(PING, None)]
    tee.write(PONG + b"x", Offload(True, 1000))
    assert right.read() == [(PONG + b"x", Offload(True, 1000))]
    section, interface, ping, pong = _blocks((tmp_path / "x.pcapng").read_bytes())
    assert section[0] == 0x0A0D0D0A
    assert struct.unpack_from("=IHHq", section[1]) == (0x1A2B3C4D, 1, 0, -1)
    assert _options(section[1][16:]) == [(4, b"tulpen"), (1, b"a run")]
    assert (interface[0], struct.unpack_from("=HHI", interface[1])) == (1, (101, 0, 0))
    assert _options(interface[1][8:]) == [(2, b"tulpen"), (9, b"\x09")]
    number, high, low, captured, original = struct.unpack_from("=5I", ping[1])
    assert (ping[0], number, high << 32 | low) == (6, 0, 1_700_000_000_123_456_789)
    assert (captured, original, ping[1][20:48]) == (28, 28, PING)
    assert _options(ping[1][48:]) == [(2, struct.pack("=I", INBOUND)), (1, b"first"), (1, b"second")]
    assert pong[1][20:49] == PONG + b"x"
    assert _options(pong[1][52:]) == [(2, struct.pack("=I", OUTBOUND | 0x200 | 0x800))]


def test_the_link_is_seen_through(tmp_path: Path) -> None:
    left, right = pipe(mtu=1234, offload=True)
    tee = Tee(left, PcapngWriter(tmp_path / "x.pcapng"))
    assert (tee.mtu, tee.offload, tee.fileno()) == (1234, True, left.fileno())
    tee.close()
    tee.close()
    right.write(b"x")
    assert right.lost == 1


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")
def test_tcpdump_reads_it(tmp_path: Path) -> None:
    writer = PcapngWriter(tmp_path / "x.pcapng")
    writer.packet(PING, 1_700_000_000_123_456_789, INBOUND, comments=("zwölf",))
    writer.packet(PONG, 1_700_000_000_123_456_790, OUTBOUND)
    writer.close()
    command = ["tcpdump", "-n", "-tt", "--nano", "-r", str(tmp_path / "x.pcapng")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "1700000000.123456789 IP 192.0.2.1 > 192.0.2.2: ICMP echo request, id 1, seq 1, length 8",
        "1700000000.123456790 IP 192.0.2.2 > 192.0.2.1: ICMP echo reply, id 1, seq 1, length 8",
    ]
    assert "link-type RAW" in done.stderr


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_shows_directions_and_comments(tmp_path: Path) -> None:
    writer = PcapngWriter(tmp_path / "x.pcapng")
    writer.packet(PING, 1_700_000_000_123_456_789, INBOUND, comments=("lost on the way",))
    writer.close()
    fields = ["-T", "fields", "-e", "frame.packet_flags_direction", "-e", "frame.comment", "-e", "frame.time_epoch"]
    done = subprocess.run(
        ["tshark", "-r", str(tmp_path / "x.pcapng"), *fields], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\t") == ["0x00000001", "lost on the way", "1700000000.123456789\n"]


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from tulpen.link.tee import PcapngWriter
writer = PcapngWriter(sys.argv[1])
for number in range(100):
    writer.packet(bytes(number), number)
os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / "x.pcapng"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", program, str(path)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(_blocks(path.read_bytes())) == 102
