"""The compiled dissector sees what the exact one sees, whatever the file, the blocks and the arrays."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path
from typing import Final

import pytest

pytest.importorskip("numba", reason="numba is not installed")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.capture.files import Edit, Talk, edited, orderly, pcap, pcapng, zstd
from tests.capture.made import Made
from tests.capture.quick.told import exactly, quickly, same
from tests.capture.test_fuzz import WHOLE
from tests.capture.test_links import IP4, LINKS, MACS, fragments, udp
from tests.sim.pair import MS, both
from tulpen.capture.dissect import Dissector
from tulpen.capture.links import LINKS as LAYERS
from tulpen.capture.octets import Octets
from tulpen.capture.quick.layout import EXACT
from tulpen.capture.quick.segments import Segments
from tulpen.sim.conversations import Echo, Source
from tulpen.sim.filters import Loss, Reordering
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.options import FAST_OPEN_MAGIC

PACKETS: Final = orderly().packets
VLAN: Final = b"\x81\x00\x00\x05"


@pytest.mark.parametrize("octets", WHOLE, ids=range(len(WHOLE)))
def test_every_form_link_type_and_tunnel(octets: bytes) -> None:
    whole = same(octets)
    assert whole.counts.segments
    assert whole.damage is None


@pytest.mark.parametrize("name", ["ethernet", "VLAN", "QinQ", "raw", "loopback", "cooked", "cooked 2"])
def test_plain_frames_need_no_exact_dissector(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    link, header, _ = LINKS[name]
    octets = pcap(PACKETS, link=link, header=header)
    theirs = exactly(octets)
    monkeypatch.setattr(Dissector, "segment", None)
    mine = quickly(Segments(Octets(io.BytesIO(octets))), seen=False)
    assert np.array_equal(mine.rows, theirs.rows)
    assert not (mine.rows["has"] & EXACT).any()


@settings(max_examples=300, deadline=None)
@given(
    whole=st.sampled_from(WHOLE),
    edits=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=6)), max_size=8),
    cut=st.integers(0, 400),
)
def test_mutated_captures(whole: bytes, edits: list[Edit], cut: int) -> None:
    same(edited(whole, edits, cut))


@settings(max_examples=200, deadline=None)
@given(
    frames=st.lists(st.tuples(st.binary(max_size=90), st.integers(0, 100)), max_size=12),
    link=st.sampled_from([*LAYERS, 147, 1, 1, 101, 113, 276]),
    order=st.sampled_from("<>"),
)
def test_any_frames_of_any_link_type(frames: list[tuple[bytes, int]], link: int, order: str) -> None:
    parts = [struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, link)]
    parts += [struct.pack(f"{order}IIII", 5, 6, len(data), len(data) + more) + data for data, more in frames]
    same(b"".join(parts))


def packet(payload: bytes, protocol: int = 6, *, six: bool = False, edit: tuple[int, bytes] = (0, b"")) -> bytes:
    ends = (bytes(15) + b"\x01", bytes(15) + b"\x02") if six else (b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02")
    octets = bytearray(build_packet(Packet(*ends, payload, protocol=protocol)))
    octets[edit[0] : edit[0] + len(edit[1])] = edit[1]
    return bytes(octets)


def segment(options: bytes = b"", text: bytes = b"", check: int = 0, offset: int | None = None) -> bytes:
    header = 5 + len(options) // 4 if offset is None else offset
    return struct.pack("!HHIIHHHH", 1000, 80, 7, 9, header << 12 | 0x18, 500, check, 3) + options + text


option = st.one_of(
    st.sampled_from([
        b"\x01", b"\x00", b"\x02\x04\x05\xb4", b"\x03\x03\x07", b"\x04\x02", b"\x05\x0a" + bytes(8), b"\x05\x02",
        b"\x08\x0a" + bytes(range(8)), b"\x08\x09" + bytes(7), b"\x22\x02", b"\x22\x06abcd", b"\x1c\x04\x00\x05",
        b"\xfe\x04" + FAST_OPEN_MAGIC, b"\xfe\x03a", b"\x13\x12" + bytes(16), b"\xac\x05abc", b"\x02\x01", b"\x02",
    ]),
    st.binary(max_size=5),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    options=st.lists(option, max_size=6), text=st.binary(max_size=50), check=st.sampled_from([0, 1, 0x1414, 0xFFFF]),
    header=st.one_of(st.none(), st.integers(0, 15)), six=st.booleans(), cut=st.integers(0, 60),
    edit=st.tuples(st.integers(0, 39), st.one_of(st.just(b""), st.binary(max_size=2))),
)  # fmt: skip
def test_any_header_of_a_segment(
    options: list[bytes], text: bytes, check: int, header: int | None, six: bool, cut: int, edit: tuple[int, bytes]
) -> None:
    joined = b"".join(options)[:40]
    joined += bytes(-len(joined) % 4)
    whole = packet(segment(joined, text, check, header), six=six, edit=edit)
    same(pcap([(1, whole)], snap=max(len(whole) - cut, 0)))


@pytest.mark.parametrize("size", [0, 1, 1460, 1461, 40_001, 65_400])
@pytest.mark.parametrize("shift", [0, 1, 2, 3])
@pytest.mark.parametrize("six", [False, True])
def test_checksums_of_any_length_anywhere(size: int, shift: int, six: bool) -> None:
    talk = Talk(six=six).client("P.", 1, 1, size).client("P.", 1, 1, size, damaged=True)
    frames = [(when, MACS + (b"\x86\xdd" if six else IP4) + whole) for when, whole in talk.packets]
    rows = same(pcap([(0, bytes(shift)), *frames], link=1)).rows
    assert rows["checksum"].tolist() == [0, 1]


def test_checksums_that_the_device_was_to_finish() -> None:
    whole = packet(segment(text=b"abc"))
    pseudo = sum(struct.unpack("!4H", whole[12:20])) + 6 + 23
    begun = packet(segment(text=b"abc", check=pseudo % 0xFFFF))
    wrong = packet(segment(text=b"abc", check=0x1234))
    rows = same(pcap([(1, whole), (2, begun), (3, wrong), (4, wrong)], snap=42)).rows
    assert rows["checksum"].tolist() == [3, 3, 3, 3]
    assert same(pcap([(1, whole), (2, begun), (3, wrong)])).rows["checksum"].tolist() == [2, 2, 1]


def test_what_is_not_tcp_is_counted_in_the_same_words() -> None:
    error = b"\x03\x03" + bytes(6) + PACKETS[0][1]
    kinds = [
        packet(b"\x08\x00" + bytes(10), 1), packet(b"\x03", 1), packet(error, 1), packet(error, 58),
        packet(error, 1, six=True), packet(b"\x80\x00" + bytes(8), 58, six=True), packet(bytes(9), 89),
        packet(bytes(9), 0), packet(b"\x06" + bytes(7) + segment(), 0, six=True), packet(bytes(4), 0, six=True),
        packet(struct.pack("!HHHH", 5, 53, 12, 0) + b"abcd", 17), packet(b"\x00\x05\x0d\xd8", 17), packet(b"", 17),
        packet(segment()[:19]), packet(segment(offset=4)), packet(segment(offset=9)), packet(segment())[:30],
        *(packet(segment(), edit=edit) for edit in ((0, b"\x44"), (0, b"\x55"), (2, b"\0\x10"), (2, b"\0\0"))),
        b"", b"\x45", b"\x75", packet(bytes(40), 4), packet(bytes(3), 137),
    ]  # fmt: skip
    whole = same(pcap([(at, each) for at, each in enumerate(kinds)]))
    assert whole.passed["ICMP"] >= 2
    assert whole.passed["UDP"] >= 2
    arp, spanning = MACS + b"\x08\x06" + bytes(28), MACS + b"\x00\x26\x42\x42\x03" + bytes(35)
    tagged = [
        MACS + VLAN * count + tail for count in range(4) for tail in (IP4 + PACKETS[0][1], b"\x08\x06", b"\x00\x05")
    ]
    same(pcap([(1, arp), (2, spanning), (3, MACS), (4, MACS[:5]), *((5, each) for each in tagged)], link=1))


def mixed() -> list[tuple[int, bytes]]:
    """Whole packets, fragments, and packets in a tunnel."""
    packets = []
    for at, (when, whole) in enumerate(PACKETS * 2):
        tunnelled = udp(b"\x08" + bytes(7) + MACS + IP4 + whole, 4789)
        packets += [(when, each) for each in ([whole], fragments(whole), [tunnelled])[at % 3]]
    return packets


def test_tunnels_and_fragments_come_at_their_place() -> None:
    rows = same(pcap(mixed())).rows
    assert rows["frame"].tolist() == sorted(rows["frame"].tolist())
    assert 0 < np.count_nonzero(rows["has"] & EXACT) < len(rows)


def test_a_relay_of_teredo_may_have_any_port() -> None:
    talk = Talk(six=True)
    talk.addresses = (bytes.fromhex("20010000") + bytes(12), talk.addresses[1])
    talk.opened()
    rows = same(pcap([(when, udp(whole, 40_444)) for when, whole in talk.packets])).rows
    assert (rows["has"] & EXACT).all()
    assert len(rows) == 3


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def section(order: str, *interfaces: tuple[int, int, bytes]) -> bytes:
    parts = [block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))]
    parts += [block(order, 1, struct.pack(f"{order}HHI", link, 0, snap) + more) for link, snap, more in interfaces]
    return b"".join(parts)


def resolution(order: str, value: int, offset: int = 0) -> bytes:
    return struct.pack(f"{order}HHB3xHHq", 9, 1, value, 14, 8, offset)


@pytest.mark.parametrize("order", "<>")
def test_interfaces_of_their_own_link_types_clocks_and_snap_lengths(order: str) -> None:
    clocks = (0, 3, 6, 9, 10, 12, 18, 19, 40, 0x80 | 10, 0x80 | 33, 0x80 | 34, 0x80 | 62, 0x80 | 127)
    offsets = (0, -7, 1 << 31, -(1 << 63))
    packets = []
    interfaces = [(1, 60, resolution(order, clock, offset)) for clock in clocks for offset in offsets]
    interfaces[0] = (101, 50, b"")
    for which in range(len(interfaces)):
        data = PACKETS[0][1] if which == 0 else MACS + IP4 + PACKETS[0][1]
        for ticks in (0, 1, 999_999_999_999, 1_700_000_000_123_456_789, (1 << 64) - 1):
            head = struct.pack(f"{order}IIIII", which, ticks >> 32, ticks & 0xFFFF_FFFF, len(data), len(data) + 4)
            packets.append(block(order, 6, head + data))
    for start in range(len(packets)):
        if start % 17 == 0:
            same(section(order, *interfaces) + b"".join(packets[start:]), sizes=[(1 << 18, 8192)])


@pytest.mark.parametrize("order", "<>")
def test_blocks_of_every_kind(order: str) -> None:
    data = PACKETS[3][1]
    old = block(order, 2, struct.pack(f"{order}HHIIII", 1, 0, 0, 9_000_000, len(data), len(data)) + data)
    simple = block(order, 3, struct.pack(f"{order}I", len(data)) + data)
    flags = struct.pack(f"{order}HHI", 2, 4, 1) + bytes(4)
    enhanced = block(order, 6, struct.pack(f"{order}IIIII", 0, 0, 7, len(data), len(data)) + data + flags)
    name = block(order, 4, bytes(16))
    begun = section(order, (101, 0, b""), (101, 0, resolution(order, 9)))
    other = section("<>"[order == "<"], (101, 70, b""))
    turned = block("<>"[order == "<"], 3, struct.pack("<>"[order == "<"] + "I", 2000) + data[:70])
    short = section(order, (101, 39, b"")) + block(order, 3, struct.pack(f"{order}I", 40) + packet(segment()))
    whole = begun + simple + name + old + enhanced + simple + other + turned + short + begun + old
    assert same(whole).counts.segments == 6
    long = block(order, 6, struct.pack(f"{order}IIIII", 0, 0, 7, len(data) + 40, len(data)) + data)
    nobody = block(order, 6, struct.pack(f"{order}IIIII", 3, 0, 7, len(data), len(data)) + data)
    for bad in (long, nobody, block(order, 6, bytes(8)), block(order, 2, bytes(8)), block(order, 3, b""),
                block(order, 1, bytes(4)), simple[:-4] + bytes(4), simple[:10], b"\x06\x00"):  # fmt: skip
        assert same(begun + enhanced + bad + enhanced).damage is not None


def test_a_frame_may_be_larger_than_a_block() -> None:
    talk = Talk().client("P.", 1, 1, 60_000).client("P.", 1, 60_001, 3)
    assert same(pcap(talk.packets), sizes=[(64, 1), (50_000, 2), (1 << 17, 2)]).counts.segments == 2


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_packed_captures_whole_and_damaged(make: type) -> None:
    packets = [(at * 1000, packet(segment(text=bytes([at % 256]) * at))) for at in range(600)]
    for packed in (gzip.compress(make(packets), mtime=0), zstd(make(packets))):
        assert same(packed).counts.segments == 600
        for cut in (1, 40, len(packed) // 2):
            assert same(packed[:-cut]).damage is not None or cut == 1
        middle = len(packed) // 2
        same(packed[:middle] + b"damage" + packed[middle + 6 :])


@pytest.mark.parametrize("octets", [b"", b"\x00", b"GET / HTTP/1.1", bytes(64), pcap([])[:20]])
def test_what_is_no_capture_is_refused_alike(octets: bytes) -> None:
    whole = same(octets)
    assert whole.error or whole.damage


@pytest.mark.parametrize("six", [False, True])
def test_made_captures(tmp_path: Path, six: bool) -> None:
    bad = both(lambda chance: Loss(chance, 0.1), lambda chance: Reordering(chance, 0.1, 20 * MS))
    made = Made(tmp_path, Source(60_000), Echo, there=bad, back=bad, seed=3, ipv6=six).run()
    for path in made.files.values():
        assert same(path.read_bytes()).counts.segments > 80
