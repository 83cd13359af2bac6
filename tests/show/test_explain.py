"""Topics: every word of the tables, found by any spelling."""

from __future__ import annotations

import dataclasses

import pytest

from tulpen.show.explain import counter_topics, engine_topics
from tulpen.show.topic import WIDTH, Topic, UnknownWord, find, list_text, topic_text
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.state import TRANSITIONS, Event, State
from tulpen.tcp.trace import Reason

TOPICS = [*engine_topics(), *counter_topics([("TcpExt", "PAWSEstab", "Segments refused.")])]


def names(found: list[Topic]) -> list[tuple[str, str]]:
    return [(topic.kind, topic.name) for topic in found]


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("TIME-WAIT", ("state", "TIME-WAIT")),
        ("time_wait", ("state", "TIME-WAIT")),
        ("TimeWait", ("state", "TIME-WAIT")),
        ("TCP_TIME_WAIT", ("state", "TIME-WAIT")),
        ("SYN_RECV", ("state", "SYN-RECEIVED")),
        ("estab", ("state", "ESTABLISHED")),
        ("FIN-WAIT-1", ("state", "FIN-WAIT-1")),
        ("FIN_WAIT1", ("state", "FIN-WAIT-1")),
        ("open active", ("event", "OPEN ACTIVE")),
        ("ECONNRESET", ("errno", "ECONNRESET")),
        ("104", ("errno", "ECONNRESET")),
        ("Connection reset by peer", ("errno", "ECONNRESET")),
        ("EWOULDBLOCK", ("errno", "EAGAIN")),
        ("tcp_tw_reuse", ("setting", "tcp_tw_reuse")),
        ("net.ipv4.tcp_tw_reuse", ("setting", "tcp_tw_reuse")),
        ("RST_NOT_NEXT", ("reason", "RST_NOT_NEXT")),
        ("TcpExtPAWSEstab", ("counter", "PAWSEstab")),
    ],
)
def test_any_spelling(spelling: str, expected: tuple[str, str]) -> None:
    assert names(find(spelling, TOPICS)) == [expected]


def test_a_beginning_that_only_one_word_has() -> None:
    assert names(find("time-w", TOPICS)) == [("state", "TIME-WAIT")]


def test_a_beginning_that_several_have_is_refused_with_their_names() -> None:
    with pytest.raises(UnknownWord, match=r"could mean several things: FIN-WAIT-1, FIN-WAIT-2"):
        find("fin-wait", TOPICS)


def test_a_word_of_two_kinds_gives_both() -> None:
    assert names(find("GAVE_UP", TOPICS)) == [("event", "GAVE UP"), ("reason", "GAVE_UP")]


@pytest.mark.parametrize("word", ["time-wiat", "tw_reuse"])
def test_an_unknown_word_names_what_is_near(word: str) -> None:
    with pytest.raises(UnknownWord) as caught:
        find(word, TOPICS)
    assert {"TIME-WAIT", "tcp_tw_reuse"} & set(caught.value.near)


@pytest.mark.parametrize("word", ["", "-", "xyzzy"])
def test_an_unknown_word(word: str) -> None:
    with pytest.raises(UnknownWord):
        find(word, TOPICS)


def test_every_row_of_every_table_is_there() -> None:
    there = set(names(TOPICS))
    assert {("state", state.title) for state in State} <= there
    assert {("event", event.title) for event in Event} <= there
    assert {("setting", each.name) for each in dataclasses.fields(Settings)} <= there
    assert {("socket option", each.name.upper()) for each in dataclasses.fields(SocketOptions)} <= there
    assert {("reason", reason.name) for reason in Reason} <= there
    assert {("counter", reason.counter) for reason in Reason if reason.counter} <= there


def test_a_state_has_all_its_rows_in_and_out() -> None:
    (topic,) = find("time-wait", TOPICS)
    assert set(topic.rows) == {row for row in TRANSITIONS if State.TIME_WAIT in (row.source, row.target)}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: f"{topic.kind}-{topic.name}")
def test_the_text_fits_a_terminal(topic: Topic) -> None:
    text = topic_text(topic)
    assert topic.name in text
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert all(line == line.rstrip() for line in text.splitlines())


def test_the_list_names_everything() -> None:
    lines = list_text(TOPICS).splitlines()
    assert max(len(line) for line in lines) <= WIDTH
    listed = "\n".join(lines)
    assert all(topic.name in listed for topic in TOPICS)
