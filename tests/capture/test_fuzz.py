"""Whatever the octets are: no exception but the two that are promised, and an end."""

from __future__ import annotations

import io
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.capture.files import Edit, Talk, edited, orderly, pcap, pcapng
from tests.capture.test_links import LINKS, TUNNELS, fragments
from tulpen.capture.dissect import Dissector
from tulpen.capture.frame import Frame
from tulpen.capture.links import LINKS as LAYERS
from tulpen.capture.reading import Reading, read
from tulpen.capture.zeek import ZeekLog
from tulpen.errors import TulpenError

PACKETS: Final = orderly().packets
SIX: Final = Talk(six=True).opened().client("F.", 1, 1).server("F.", 1, 2).packets
WHOLE: Final = [
    pcap(PACKETS), pcap(PACKETS, order=">", nanoseconds=False),
    pcapng(PACKETS), pcapng(PACKETS, order=">", interfaces=2),
    pcap([(when, piece) for when, packet in PACKETS for piece in fragments(packet)]), pcap(SIX),
    *(pcap(PACKETS, link=link, header=header) for link, header, _ in LINKS.values()),
    *(pcap([(when, wrap(packet)) for when, packet in PACKETS]) for wrap, _ in TUNNELS.values()),
]  # fmt: skip


def survives(octets: bytes) -> Reading | None:
    try:
        reading = read(io.BytesIO(octets), ladders=None)
    except TulpenError:
        return None
    for damage in reading.damage:
        assert 0 <= damage.offset <= len(octets)
    assert [row.number for row in reading] == list(range(1, len(reading) + 1))
    for row in reading:
        assert row.why
        assert reading.ladder(row.number).rungs
    return reading


@settings(max_examples=400, deadline=None)
@given(
    whole=st.sampled_from(WHOLE),
    edits=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=6)), max_size=8),
    cut=st.integers(0, 400),
)
def test_mutated_captures_of_every_link_type(whole: bytes, edits: list[Edit], cut: int) -> None:
    survives(edited(whole, edits, cut))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"]),
    st.binary(),
)
def test_anything_behind_a_magic_number(magic: bytes, rest: bytes) -> None:
    survives(magic + rest)


@settings(max_examples=500, deadline=None)
@given(link=st.sampled_from([*LAYERS, 147]), data=st.binary(max_size=120), length=st.integers(0, 3000))
def test_any_frame_of_any_link_type(link: int, data: bytes, length: int) -> None:
    Dissector().segment(Frame(1, 0, link, data, max(length, len(data)), 0))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1), st.integers(0, 0x1FF),
            st.sampled_from([0, 1, 2, 50, 1000, 70_000, -1, 1 << 31, -(1 << 20)]),
            st.sampled_from([0, 1, 2, 50, 1000, 70_000, -1, 1 << 31]), st.sampled_from([0, 0, 1, 100, 1460]),
            st.sampled_from([0, 1, 512, 65_535]), st.sampled_from([0, 1, 1000, 300_000]),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_any_order_of_any_segments(rows: list[tuple[int, int, int, int, int, int, int]]) -> None:
    talk = Talk()
    for side, flags, seq, ack, size, wnd, after in rows:
        letters = "".join(letter for bit, letter in ((1, "F"), (2, "S"), (4, "R"), (8, "P"), (16, ".")) if flags & bit)
        talk.send(side, letters, seq, ack, size, wnd=wnd, after=after)
    reading = survives(pcap(talk.packets))
    assert reading is not None
    log, dissector = ZeekLog(), Dissector()
    for number, (when, packet) in enumerate(talk.packets):
        seg = dissector.segment(Frame(number, when, 101, packet, len(packet), 0))
        if seg is not None:
            log.take(seg)
    assert sum(row.orig_pkts + row.resp_pkts for row in log.rows()) == len(rows)


@pytest.mark.parametrize("size", [1, 3, 17])
def test_a_stream_may_come_in_small_pieces(size: int) -> None:
    class Slow(io.RawIOBase):
        def __init__(self, octets: bytes) -> None:
            self.left = octets

        def readable(self) -> bool:
            return True

        def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]
            piece, self.left = self.left[:size], self.left[size:]
            into[: len(piece)] = piece
            return len(piece)

    reading = read(Slow(pcapng(PACKETS)))  # type: ignore[arg-type]
    assert len(reading) == 1
    assert not reading.damage
