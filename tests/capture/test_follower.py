"""Connections apart from the others of their capture, and when one is forgotten."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from functools import partial

import pytest

from tests.capture.busy import EPOCH, SECOND, busy
from tests.capture.files import Talk, Timed, orderly, pcap
from tulpen.capture.conversation import Conversation
from tulpen.capture.dissect import Dissector
from tulpen.capture.follower import Follower, name_of
from tulpen.capture.frames import frames
from tulpen.capture.octets import Octets
from tulpen.capture.policy import Checksums, Policy
from tulpen.capture.reading import read
from tulpen.capture.rows import Told, told
from tulpen.capture.seen import Seen

POLICIES = [Policy(), Policy(checksums=Checksums.STRICT), Policy(checksums=Checksums.IGNORE), Policy(idle=90.0)]


def segments(packets: list[Timed]) -> Iterator[Seen]:
    dissect = Dissector().segment
    for frame in frames(Octets(io.BytesIO(pcap(packets)))):
        seg = dissect(frame)
        assert isinstance(seg, Seen)
        yield seg


def tell(into: dict[int, Told], talk: Conversation) -> None:
    rows = told(talk)
    rows.connection.number = 0
    for row in rows.moves:
        row.connection = 0
    for finding in rows.findings:
        finding.connection = 0
    into[talk.first_frame] = rows


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(6))
def test_some_names_alone_say_what_they_say_among_all(seed: int, policy: Policy) -> None:
    packets = busy(seed, 60)
    whole: dict[int, Told] = {}
    names = {seg.frame: name_of(seg) for seg in segments(packets)}
    follower = Follower(partial(tell, whole), policy)
    for seg in segments(packets):
        follower.take(seg)
    follower.finish()
    chance = random.Random(seed)
    every = sorted(set(names.values()))
    for _ in range(4):
        chosen = set(chance.sample(every, len(every) // 3))
        alone: dict[int, Told] = {}
        again = Follower(partial(tell, alone), policy, facts=follower.hosts.facts)
        for seg in segments(packets):
            if name_of(seg) in chosen:
                again.take(seg)
        again.finish()
        assert alone == {frame: rows for frame, rows in whole.items() if names[frame] in chosen}


def test_there_is_something_to_be_known_of_addresses() -> None:
    found = {row.kind for seed in range(6) for row in read(io.BytesIO(pcap(busy(seed, 60)))).findings}
    assert {"bad-checksum", "timestamps-behind", "cookie", "reused", "retransmissions"} <= found


@pytest.mark.parametrize(("silence", "count"), [(200.0, 1), (300.0, 2)])
def test_after_two_msl_of_silence_one_that_is_over_is_forgotten(silence: float, count: int) -> None:
    talk = orderly().server("F.", 501, 102, after=silence * 1000)
    assert len(talk.read()) == count


def test_one_that_is_not_over_is_kept() -> None:
    assert len(Talk().opened().client("P.", 1, 1, 10).server(".", 1, 11, after=1e6).read()) == 1


def test_no_more_are_followed_than_may_go_on() -> None:
    packets, now = [], 0
    for number in range(12_000):
        talk = Talk(sport=1024 + number).opened().server("R.", 1, 1)
        packets += [(EPOCH + now + when, packet) for when, packet in talk.packets]
        now += SECOND
    told_of: list[int] = []
    follower = Follower(lambda talk: told_of.append(talk.number))
    most = 0
    for seg in segments(packets):
        follower.take(seg)
        most = max(most, follower.count - len(told_of))
    follower.finish()
    assert most < 6_000
    assert sorted(told_of) == list(range(1, 12_001))
