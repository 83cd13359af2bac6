"""Captures in every form, followed as the host where they were made."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tulpen.cli.main import run
from tulpen.compare.capture import followed, read
from tulpen.errors import TulpenError
from tulpen.link.tee import PcapngWriter
from tulpen.tcp.state import State
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, PSH, SYN, Segment

US, THEM = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
MSS = Options(mss=1460)


def conversation(*, wrong: bool = False) -> list[bytes]:
    """A connection that we open and they close first; ``wrong``: we acknowledge what never came."""
    lines = [
        (True, Segment(100, 0, SYN, 9000, options=MSS)),
        (False, Segment(700, 101, SYN | ACK, 9000, options=MSS)),
        (True, Segment(101, 701, ACK, 9000)),
        (True, Segment(101, 701, ACK | PSH, 9000, b"hello")),
        (False, Segment(701, 106, FIN | ACK, 9000)),
        (True, Segment(106, 799 if wrong else 702, FIN | ACK, 9000)),
        (False, Segment(702, 107, ACK, 9000)),
    ]
    packets = []
    for ours, seg in lines:
        sport, dport = (4000, 80) if ours else (80, 4000)
        segment = Segment(seg.seq, seg.ack, seg.flags, seg.wnd, seg.data, seg.options, sport=sport, dport=dport)
        packets.append(build_packet(Packet(*((US, THEM) if ours else (THEM, US)), segment)))
    return packets


def pcap(
    packets: list[bytes], *, order: str = "<", link: int = 101, header: bytes = b"", magic: int = 0xA1B2C3D4
) -> bytes:
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)]
    for number, packet in enumerate(packets):
        frame = header + packet
        parts += [struct.pack(f"{order}IIII", 1_000, number * 1000, len(frame), len(frame)), frame]
    return b"".join(parts)


@pytest.mark.parametrize(
    "octets",
    [
        pcap(conversation()),
        pcap(conversation(), order=">"),
        pcap(conversation(), magic=0xA1B23C4D),
        pcap(conversation(), link=1, header=bytes(12) + b"\x08\x00"),
        pcap(conversation(), link=1, header=bytes(12) + b"\x81\x00\x00\x05\x08\x00"),
        pcap(conversation(), link=276, header=b"\x08\x00" + bytes(18)),
    ],
    ids=["little", "big", "nanoseconds", "ethernet", "vlan", "cooked"],
)
def test_every_form(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "capture"
    path.write_bytes(octets)
    ((name, follower),) = followed(path, US)
    assert (name.local_port, name.remote_port) == (4000, 80)
    assert (follower.packets, follower.refusals, follower.state) == (7, [], State.CLOSED)


def test_what_tulpen_writes(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcapng"
    writer = PcapngWriter(path)
    for number, packet in enumerate(conversation()):
        writer.packet(packet, 5_000_000_000 + number)
    writer.close()
    assert [each.when for each in read(path)] == [5_000_000_000 + number for number in range(7)]
    ((_, follower),) = followed(path, THEM)
    assert (follower.refusals, follower.state) == ([], State.TIME_WAIT)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.pcap", tmp_path / "bad.pcap"
    good.write_bytes(pcap(conversation()))
    bad.write_bytes(pcap(conversation(wrong=True)))
    assert run(["compare", "--trace", str(good), "--as", "10.0.0.1"]) == 0
    assert "1 of 1 connections' ends accepted, 0 of 7 packets refused" in capsys.readouterr().out
    assert run(["compare", "--trace", str(bad), "--as", "10.0.0.1"]) == 1
    assert "acknowledges 97 more than tulpen has taken (tulpen was in CLOSE-WAIT)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "is empty: not even a capture's header is there"),
        (b"\x00" * 40, "neither pcap nor pcapng"),
        (pcap(conversation())[:50], "ends in the middle"),
        (pcap(conversation(), link=147), "link type 147"),
        (pcap([]), "has no TCP of 10.0.0.1"),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), "ends in the middle"),
    ],
    ids=["empty", "zeros", "cut", "unknown link", "no packet", "no block"],
)
def test_what_is_no_capture(tmp_path: Path, octets: bytes, says: str) -> None:
    path = tmp_path / "capture"
    path.write_bytes(octets)
    with pytest.raises(TulpenError, match=says):
        followed(path, US)
