"""What the exact reader sees, and rows of SEGMENT."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")

from tests.capture.files import Talk
from tests.capture.quick.told import KEPT, seen_of
from tulpen.capture.dissect import Dissector
from tulpen.capture.frame import Frame
from tulpen.capture.quick.exact import layers_of, seen_array, tags_of
from tulpen.capture.quick.layout import EXACT, FAST_OPEN, ICMP, SACK, STRANGE
from tulpen.capture.seen import IcmpError, Seen
from tulpen.wire.options import Options


def seen(talk: Talk) -> list[Seen]:
    dissector = Dissector()
    found = [
        dissector.segment(Frame(number, when, 101, packet, len(packet), 0))
        for number, (when, packet) in enumerate(talk.packets, 1)
    ]
    return [each for each in found if isinstance(each, Seen)]


@pytest.mark.parametrize("six", [False, True])
def test_a_row_gives_back_its_segment(six: bool) -> None:
    talk = Talk(six=six).opened(Options(mss=1460, wscale=0, sack_permitted=True, tsval=0, tsecr=0), Options(mss=1))
    talk.client("P.", 1, 1, 100, options=Options(tsval=7, tsecr=9), damaged=True)
    segments = seen(talk)
    for row, segment in zip(seen_array(segments), segments, strict=True):
        back = seen_of(row)
        assert {name: getattr(back, name) for name in KEPT} == {name: getattr(segment, name) for name in KEPT}
        assert not row["has"] & (EXACT | STRANGE)


@pytest.mark.parametrize(
    ("options", "bit"),
    [
        (Options(sack=((1, 2),)), SACK), (Options(fast_open=b""), FAST_OPEN), (Options(md5=bytes(16)), STRANGE),
        (Options(others=((200, b""),)), STRANGE), (Options(user_timeout=3), STRANGE),
        (Options(malformed=True), STRANGE),
    ],
)  # fmt: skip
def test_options_that_a_row_does_not_hold_are_marked(options: Options, bit: int) -> None:
    segment = Seen(1, 0, bytes(4), bytes(4), 1, 2, 3, 4, 0x10, options=options)
    assert seen_array([segment])[0]["has"] == bit


@pytest.mark.parametrize(
    ("layers", "exact"),
    [("", False), ("vlan 0", False), ("vlan 5", False), ("vlan 4095, vlan 7", False), ("vlan 1, vlan 2, vlan 3", True),
     ("gre", True), ("vlan 5, gre", True)],
)  # fmt: skip
def test_layers_are_tags_or_exact(layers: str, exact: bool) -> None:
    tags = tags_of(layers)
    assert (tags is None) == exact
    assert tags is None or layers_of(tags) == layers
    row = seen_array([Seen(1, 0, bytes(4), bytes(4), 1, 2, 3, 4, 0x10, layers=layers)])[0]
    assert bool(row["has"] & EXACT) == exact


def test_an_icmp_error_is_marked_by_what_it_quotes() -> None:
    error = IcmpError(5, 6, bytes(4), "", "port", b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02", 7, 8, 9)
    row = seen_array([error], [77])[0]
    assert row["has"] == EXACT | ICMP
    assert (row["frame"], row["offset"], row["src"].tolist(), row["dport"]) == (5, 77, [0, 0x0A000001], 8)


def test_what_does_not_fit_a_row_is_exact() -> None:
    late = Seen(1, 1 << 64, bytes(4), bytes(4), 1, 2, 3, 4, 0x10)
    long = Seen(1, 0, bytes(4), bytes(4), 1, 2, 3, 4, 0x10, length=1 << 31)
    assert all(row["has"] & EXACT for row in seen_array([late, long]))
