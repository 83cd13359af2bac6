"""Captures of many connections, made quickly: each a request, eight segments of response, and both ends close.

Taken beside the server.  Where a segment of the response is lost on its way to the client, the capture has it, the
duplicate ACKs with SACK, and the segment again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tulpen.wire.segment import ACK, FIN, PSH, SYN

EACH: Final = 20  # packets of a connection of which nothing is lost
SEGMENTS: Final = 8  # of a response
REQUEST: Final = 400
RATE: Final = 250  # connections that begin in a second
HOSTS: Final = 20_000  # clients
GROUP: Final = 150_000  # connections that are made at once
BLOCK: Final = 100_000  # packets that are written at once
_RECORD: Final = 16  # octets of a packet's header in pcap
_ETHERNET: Final = bytes.fromhex("020000000001 020000000002 0800")
_HEAD: Final = _RECORD + len(_ETHERNET) + 20
_TIMESTAMPS, _OF_SYN, _WITH_SACK = 32, 40, 44  # octets of a header of TCP, by its options


class Row(NamedTuple):
    """A packet of a conversation; numbers count from the ISNs."""

    side: int
    flags: int
    seq: int
    ack: int
    size: int
    after: int  # microseconds
    head: int = _TIMESTAMPS
    left: int = 0  # of the block of SACK
    right: int = 0


def conversation(lost: int, text: int) -> Iterator[Row]:
    """Yield the packets of a conversation in which segment ``lost`` of the response is lost, -1: none."""
    yield Row(0, SYN, 0, 0, 0, 0, _OF_SYN)
    yield Row(1, SYN | ACK, 0, 1, 0, 30, _OF_SYN)
    yield Row(0, ACK, 1, 1, 0, 20_000)
    yield Row(0, PSH | ACK, 1, 1, REQUEST, 300)
    there, at = 1 + REQUEST, 1  # what the client sent, and how far it has got
    yield Row(1, ACK, 1, there, 0, 30)
    for number in range(SEGMENTS):
        begins = 1 + number * text
        yield Row(1, ACK, begins, there, text, 40_000 if number == 0 else 300)
        if number != lost and not at < begins:
            at = begins + text
        if at < begins:
            yield Row(0, ACK, there, at, 0, 200, _WITH_SACK, at + text, begins + text)
        elif number % 2 and number != lost:
            yield Row(0, ACK, there, at, 0, 200)
    ends = 1 + SEGMENTS * text
    if at < ends:
        yield Row(1, ACK, at, there, text, 20_000 if lost < SEGMENTS - 2 else 220_000)
        yield Row(0, ACK, there, ends, 0, 20_000)
    yield Row(0, FIN | ACK, there, ends, 0, 1_500_000)
    yield Row(1, FIN | ACK, ends, there + 1, 0, 300)
    yield Row(0, ACK, there + 1, ends + 1, 0, 20_000)


def write(file: BinaryIO, connections: int, *, loss: float = 0.0, text: int = 1448, snap: int = 65_535) -> None:
    """Write a pcap file of so many connections; ``loss``: the part of segments that is lost, one of a connection."""
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, 1))
    chance = np.random.default_rng(1)
    for begun in range(0, connections, GROUP):
        packets = _packets(begun, min(GROUP, connections - begun), loss, text, chance)
        for at in range(0, len(packets["when"]), BLOCK):
            some = {name: column[at : at + BLOCK] for name, column in packets.items()}
            _octets(some, snap).tofile(file)


def _packets(begun: int, count: int, loss: float, text: int, chance: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Return the columns of the packets of some connections, in the order of time."""
    rows = [list(conversation(lost, text)) for lost in range(-1, SEGMENTS)]
    longest = max(map(len, rows))
    table = np.array([[*each, *[Row(-1, 0, 0, 0, 0, 0)] * (longest - len(each))] for each in rows], np.int64)
    lossy = chance.random(count) < 1 - (1 - loss) ** SEGMENTS
    kinds = np.where(lossy, chance.integers(1, SEGMENTS + 1, count), 0)
    number = np.arange(begun, begun + count)
    start = number * 1_000_000 // RATE + chance.integers(0, 100_000, count)
    when = (
        start[:, None] + np.cumsum(table[:, :, 5], axis=1)[kinds] + chance.integers(0, 200, (count, longest)).cumsum(1)
    )
    there = table[kinds, :, 0] >= 0
    order = np.argsort(when[there], kind="stable")
    of = np.broadcast_to(number[:, None], when.shape)[there][order]
    columns = {
        name: table[kinds, :, at][there][order] for at, name in enumerate(Row._fields) if name != "after"
    }  # fmt: skip
    isns = chance.integers(0, 1 << 32, (count, 2))
    side = columns["side"]
    own, other = isns[of - begun, side], isns[of - begun, 1 - side]
    acks = columns["flags"] & ACK != 0
    columns["seq"] = columns["seq"] + own & 0xFFFF_FFFF
    columns["ack"] = np.where(acks, columns["ack"] + other & 0xFFFF_FFFF, 0)
    for edge in ("left", "right"):
        columns[edge] = columns[edge] + other & 0xFFFF_FFFF
    return {**columns, "when": when[there][order], "of": of}


def _octets(packets: dict[str, NDArray[Any]], snap: int) -> NDArray[np.uint8]:
    """Return packets as they stand in a pcap file, their checksums right."""
    heads = _heads(packets)
    count, widest = heads.shape
    length = _HEAD - _RECORD + packets["head"] + packets["size"]
    kept = np.minimum(length, snap)
    seconds, rest = np.divmod(1_700_000_000_000_000 + packets["when"], 1_000_000)
    heads[:, :_RECORD] = np.stack([seconds, rest, kept, length], axis=1).astype("<u4").view(np.uint8)
    starts = np.concatenate([[0], np.cumsum(_RECORD + kept)])
    whole = np.zeros(starts[-1] + widest, np.uint8)
    for size in np.unique(packets["head"]):
        some = np.nonzero(packets["head"] == size)[0]
        width = _HEAD + int(size)
        whole[starts[some][:, None] + np.arange(width)] = heads[some, :width]
    assert count == len(starts) - 1
    return whole[: starts[-1]]


def _heads(packets: dict[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """Return the headers of Ethernet, IP and TCP, behind room for the record's."""
    count = len(packets["when"])
    words = np.zeros((count, (_HEAD - _RECORD - len(_ETHERNET) + _WITH_SACK) // 2), np.int64)
    client, side = packets["of"], packets["side"]
    hosts = np.stack([np.full(count, 0x0A00), client % HOSTS], axis=1), np.array([[0x0AFF, 1]])
    port = 10_000 + client // HOSTS
    ports = np.where(side == 0, port, 443), np.where(side == 0, 443, port)
    size = 20 + packets["head"] + packets["size"]
    words[:, 0], words[:, 1], words[:, 2], words[:, 4] = 0x4500, size, packets["seq"] // 97 & 0xFFFF, 0x4006
    words[:, 3] = 0x4000
    words[:, 6:8] = np.where(side[:, None] == 0, *hosts)
    words[:, 8:10] = np.where(side[:, None] == 0, *hosts[::-1])
    words[:, 5] = _sum(words[:, :10])
    words[:, 10], words[:, 11] = ports
    words[:, 12:14], words[:, 14:16] = _halves(packets["seq"]), _halves(packets["ack"])
    words[:, 16] = packets["head"] // 4 << 12 | packets["flags"]
    words[:, 17] = 502
    words[:, 20:] = _options(packets)
    words[:, 18] = _sum(words[:, 6:], 6 + size - 20)
    heads = np.zeros((count, _HEAD + _WITH_SACK), np.uint8)
    heads[:, _RECORD : _RECORD + len(_ETHERNET)] = np.frombuffer(_ETHERNET, np.uint8)
    heads[:, _RECORD + len(_ETHERNET) :] = words.astype(">u2").view(np.uint8)
    return heads


def _options(packets: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    words = np.zeros((len(packets["when"]), (_WITH_SACK - 20) // 2), np.int64)
    stamp = _halves(packets["when"] // 1000 + 1 & 0xFFFF_FFFF)
    echo = np.where((packets["flags"] & (SYN | ACK) == SYN)[:, None], 0, _halves(packets["when"] // 1000 - 20))
    opens = packets["head"] == _OF_SYN
    words[:, 0:2], words[:, 2:4], words[:, 4:6] = (0x0101, 0x080A), stamp, echo
    words[opens, 0:4] = 0x0204, 1460, 0x0402, 0x080A
    words[opens, 4:6], words[opens, 6:8], words[opens, 8:10] = stamp[opens], echo[opens], (0x0103, 0x0307)
    some = packets["head"] == _WITH_SACK
    words[some, 6:8] = 0x0101, 0x050A
    words[some, 8:10], words[some, 10:12] = _halves(packets["left"])[some], _halves(packets["right"])[some]
    return words


def _halves(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack([numbers >> 16 & 0xFFFF, numbers & 0xFFFF], axis=1)


def _sum(words: NDArray[np.int64], more: Any = 0) -> NDArray[np.int64]:
    """Return the checksum of words, and of ``more`` (RFC 1071)."""
    total = words.sum(axis=1) + more
    total = (total & 0xFFFF) + (total >> 16)
    folded: NDArray[np.int64] = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return folded
