"""The second visit: odd names alone, found in arrays, say what they say in a whole reading."""

from __future__ import annotations

import io
import random
from functools import partial

import pytest

pytest.importorskip("numba", reason="numba is not installed")

import numpy as np

from tests.capture.busy import busy
from tests.capture.files import pcap
from tests.capture.test_follower import segments as exactly
from tests.capture.test_follower import tell
from tulpen.capture.follower import Follower, name_of
from tulpen.capture.hosts import Facts
from tulpen.capture.octets import Octets
from tulpen.capture.policy import Policy
from tulpen.capture.quick.again import Again
from tulpen.capture.quick.begun import Begun
from tulpen.capture.quick.exact import halves
from tulpen.capture.quick.layout import ODD
from tulpen.capture.quick.pairs import of_part
from tulpen.capture.quick.segments import Segments
from tulpen.capture.quick.state import PAIR
from tulpen.capture.quick.watch import Left
from tulpen.capture.rows import Told


@pytest.mark.parametrize("seed", range(4))
def test_odd_names_alone_say_what_they_say_among_all(seed: int) -> None:
    octets = pcap(busy(seed, 60))
    segs = list(exactly(busy(seed, 60)))
    names = {seg.frame: name_of(seg) for seg in segs}
    whole: dict[int, Told] = {}
    follower = Follower(partial(tell, whole), Policy())
    for seg in segs:
        follower.take(seg)
    follower.finish()
    chance = random.Random(seed)
    every = sorted(set(names.values()))
    chosen = chance.sample(every, len(every) // 2)
    odd = np.zeros(len(chosen), ODD)
    for row, (here, port, there, port_2, _) in zip(odd, chosen, strict=True):
        turned = chance.random() < 0.5
        row["address"] = [halves(there), halves(here)] if turned else [halves(here), halves(there)]
        row["port"] = [port_2, port] if turned else [port, port_2]
    alone: dict[int, Told] = {}
    again = Again(Left(odd, np.zeros(0, PAIR), follower.hosts.facts), Policy(), partial(tell, alone))
    reader = Segments(Octets(io.BytesIO(octets)), most=100)
    for rows in reader:
        again.take(rows, reader)
    again.finish()
    assert alone == {frame: rows for frame, rows in whole.items() if names[frame] in chosen}
    assert again.wrong == sum(
        rows.count for each in alone.values() for rows in each.findings if rows.kind == "bad-checksum"
    )


def test_a_name_is_odd_from_its_frame_on() -> None:
    octets = pcap(busy(1, 60))
    first = next(exactly(busy(1, 60)))
    odd = np.zeros(1, ODD)
    odd["address"][0], odd["port"][0] = [halves(first.src), halves(first.dst)], [first.sport, first.dport]
    odd["frame"] = 2
    alone: dict[int, Told] = {}
    reader = Segments(Octets(io.BytesIO(octets)))
    again = Again(Left(odd, np.zeros(0, PAIR), Facts()), Policy(), partial(tell, alone))
    for rows in reader:
        again.take(rows, reader)
    again.finish()
    assert alone
    assert min(alone) > 1


def test_parts_divide_what_there_is_and_keep_pairs_together() -> None:
    reader = Segments(Octets(io.BytesIO(pcap(busy(3, 60)))))
    for rows in reader:
        divided = [of_part(rows, part, 3) for part in range(3)]
        assert sorted(np.concatenate(divided)["frame"]) == rows["frame"].tolist()
        pairs = [{frozenset((tuple(row["src"]), tuple(row["dst"]))) for row in part} for part in divided]
        assert sum(map(len, pairs)) == len(set.union(*pairs)) > 3
        assert of_part(rows, 0, 1) is rows


def test_numbers_follow_first_frames() -> None:
    frames = np.array(random.Random(1).sample(range(1, 200_000), 5_000))
    begun = Begun()
    for some in np.split(frames, 7 * [0] + [10, 300, 4_000]):
        begun.add(some)
    assert begun.numbers(frames).tolist() == (np.argsort(np.argsort(frames)) + 1).tolist()
    begun.add(np.array([200_001, 200_001]))
    assert begun.numbers(np.array([200_001])).tolist() == [5_001]
