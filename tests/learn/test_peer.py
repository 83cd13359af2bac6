"""The other end: letters become segments relative to what the subject expects, and answers become words."""

from __future__ import annotations

import pytest

from tulpen.learn.alphabet import LETTERS
from tulpen.learn.peer import OURS, THEIRS, Peer
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN, Segment

ISS = 77


@pytest.fixture
def peer() -> Peer:
    return Peer(4000, 80)


def opened(peer: Peer) -> Peer:
    peer.segment(LETTERS["SYN"])
    assert peer.words([Segment(ISS, OURS + 1, SYN | ACK)]) == "SYN+ACK(fresh,adv)"
    return peer


def test_numbers_are_learnt_from_the_answers(peer: Peer) -> None:
    opened(peer)
    ack = peer.segment(LETTERS["ACK"])
    assert (ack.seq, ack.ack) == (OURS + 1, ISS + 1)
    data = peer.segment(LETTERS["DATA"])
    assert peer.words([Segment(ISS + 1, OURS + 2, ACK)]) == "ACK(nxt,adv)"
    assert peer.segment(LETTERS["DATA"]).seq == data.seq + 1


def test_what_is_not_acknowledged_is_sent_at_the_same_number(peer: Peer) -> None:
    opened(peer)
    first = peer.segment(LETTERS["DATA"])
    assert peer.words([Segment(ISS + 1, OURS + 1, ACK)]) == "ACK(nxt,cur)"
    assert peer.segment(LETTERS["DATA"]).seq == first.seq


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (Segment(ISS + 1, OURS + 1, FIN | ACK), "FIN+ACK(nxt,cur)"),
        (Segment(ISS, OURS + 1, SYN | ACK), "SYN+ACK(nxt-1,cur)"),
        (Segment(ISS + 1, OURS + 1, ACK | PSH, data=b"ab"), "ACK+D2(nxt,cur)"),
        (Segment(0, OURS + 1, RST | ACK), "RST+ACK(zero,cur)"),
        (Segment(ISS + 1, 0, RST), "RST(nxt)"),
        (Segment(ISS + 3, OURS, ACK), "ACK(nxt+2,cur-1)"),
        (Segment(9_999, 5, ACK), "ACK(other,other)"),
    ],
)
def test_words(peer: Peer, answer: Segment, word: str) -> None:
    opened(peer).called(LETTERS["CLOSE"])
    assert peer.words([answer]) == word


def test_two_answers_and_none(peer: Peer) -> None:
    opened(peer).called(LETTERS["CLOSE"])
    answers = [Segment(ISS + 1, OURS + 1, FIN | ACK), Segment(ISS + 2, OURS + 1, ACK)]
    assert peer.words(answers) == "FIN+ACK(nxt,cur)|ACK(nxt,cur)"
    assert peer.words([]) == "-"


def test_a_refused_syn_leaves_the_old_numbers(peer: Peer) -> None:
    opened(peer)
    peer.segment(LETTERS["SYN_NEW"])
    peer.words([Segment(ISS + 1, OURS + 1, ACK)])
    assert peer.segment(LETTERS["ACK"]).seq == OURS + 1


def test_a_new_incarnation_that_is_reset_gives_way_to_the_old_numbers(peer: Peer) -> None:
    opened(peer)
    new = peer.segment(LETTERS["SYN_NEW"])
    peer.words([Segment(5_000, new.seq + 1, SYN | ACK)])
    assert peer.segment(LETTERS["ACK"]).ack == 5_001
    peer.segment(LETTERS["RST"])
    peer.words([])
    ack = peer.segment(LETTERS["ACK"])
    assert (ack.seq, ack.ack) == (OURS + 1, ISS + 1)


def test_before_a_syn_of_the_subject_any_number_will_do(peer: Peer) -> None:
    assert peer.segment(LETTERS["ACK"]).ack == THEIRS
    assert peer.words([Segment(THEIRS, 0, RST)]) == "RST(nxt)"
