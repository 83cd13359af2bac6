from __future__ import annotations

import struct

import pytest

from tulpen.link import virtio
from tulpen.wire.ip import Offload

TCP = struct.pack("!HHIIBBHHH", 1, 2, 3, 4, 8 << 4, 0x10, 0, 0, 0) + bytes(12)
IPV4 = b"\x46" + bytes(23) + TCP  # with one word of options
IPV6 = b"\x60" + bytes(39) + TCP


def test_nothing_left_to_the_device_is_a_header_of_zeros() -> None:
    assert virtio.build(IPV4, None) == bytes(virtio.SIZE)
    assert virtio.build(IPV4, Offload(False, 0)) == bytes(virtio.SIZE)
    assert virtio.parse(bytes(virtio.SIZE)) is None


@pytest.mark.parametrize(("packet", "kind", "start"), [(IPV4, 1, 24), (IPV6, 4, 40)])
def test_a_large_segment_names_its_headers(packet: bytes, kind: int, start: int) -> None:
    header = virtio.build(packet, Offload(True, 1448))
    assert struct.unpack("=BBHHHH", header) == (1, kind, start + 32, 1448, start, 16)
    assert virtio.parse(header) == Offload(True, 1448)


def test_a_checksum_alone_is_no_segmentation() -> None:
    header = virtio.build(IPV4, Offload(True, 0))
    assert struct.unpack("=BBHHHH", header) == (1, 0, 0, 0, 24, 16)
    assert virtio.parse(header) == Offload(True, 0)


def test_a_header_of_the_link_is_counted() -> None:
    header = virtio.build(IPV6, Offload(True, 1428), before=14)
    assert struct.unpack("=BBHHHH", header) == (1, 4, 14 + 40 + 32, 1428, 14 + 40, 16)


def test_a_checksum_that_the_device_has_verified_is_not_verified_again_nor_told_to_another() -> None:
    found = virtio.parse(struct.pack("=BBHHHH", 2, 0, 0, 0, 0, 0))
    assert found == Offload(False, 0, True)
    assert virtio.build(IPV4, found) == bytes(virtio.SIZE)


@pytest.mark.parametrize(
    ("packet", "start"),
    [(b"\x45" + bytes(8) + b"\x11" + bytes(18), 20), (b"\x60" + bytes(5) + b"\x11" + bytes(41), 40)],
)
def test_datagrams_that_are_to_be_cut(packet: bytes, start: int) -> None:
    header = virtio.build(packet, Offload(True, 1200))
    assert struct.unpack("=BBHHHH", header) == (1, 5, start + 8, 1200, start, 6)
    assert struct.unpack("=BBHHHH", virtio.build(packet, Offload(True, 0))) == (1, 0, 0, 0, start, 6)


def test_cwr_is_for_the_first_segment_alone() -> None:
    packet = bytearray(IPV6)
    packet[40 + 13] |= 0x80
    assert virtio.build(bytes(packet), Offload(True, 1428))[1] == 4 | 0x80
