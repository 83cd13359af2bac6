"""UDP and ICMP in scripts."""

from __future__ import annotations

import pytest

from tests.drill.test_runner import OPEN, fails, passes, run
from tulpen.drill.verdict import Outcome

GOES_ON = "+.1 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n"


@pytest.mark.parametrize(
    "line",
    [
        "udp (100)",
        "udp 53 > 8080 (0)",
        "icmp unreachable port_unreachable [udp (100)]",
        "icmp unreachable net_unreachable [raw (20)]",
    ],
)
def test_what_concerns_no_connection_changes_none(line: str) -> None:
    passes(f"{OPEN}+.1 < {line}\n{GOES_ON}")


def test_an_echo_is_answered_and_segments_before_it_are_kept() -> None:
    passes(f"{OPEN}+.1 write(4, ..., 100) = 100\n+0 < icmp echo_request id 7\n+0 > icmp echo_reply id 7\n"
           "+0 > P. 1:101(100) ack 1\n")  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        ("icmp echo_reply id 8", "id: expected 8, got 7"),
        ("icmp unreachable port_unreachable id 7", "type: expected 3, got 0; code: expected 3, got 0"),
        ("(ttl 3) icmp echo_reply id 7", "TTL: expected 3, got 64"),
    ],
)
def test_another_message_than_expected(expected: str, why: str) -> None:
    assert fails(f"{OPEN}+.1 < icmp echo_request id 7\n+0 > {expected}\n").reason == why


def test_no_message_where_one_is_expected() -> None:
    verdict = fails(f"{OPEN}+.1 < udp (100)\n+0 > icmp unreachable port_unreachable [udp (100)]\n")
    assert (verdict.reason, verdict.expected) == ("no packet was sent", "icmp unreachable port_unreachable")


def test_the_host_has_no_sockets_of_udp() -> None:
    verdict = run(f"{OPEN}+.1 > udp (100)\n")
    assert (verdict.outcome, verdict.reason) == (Outcome.SKIP, "needs sockets of UDP")
