"""ECN and SYN cookies: what is granted is remembered nowhere but in what comes back."""

from __future__ import annotations

import pytest

from tests.host.exchange import connected

OFF, CLASSIC, ACCURATE = range(3)


@pytest.mark.parametrize(
    ("client", "timestamps", "expected"),
    [(0, 1, OFF), (1, 1, CLASSIC), (1, 0, OFF), (3, 1, ACCURATE), (3, 0, ACCURATE)],
    ids=["not asked", "in the timestamp", "nowhere to keep it", "AccECN", "AccECN without timestamps"],
)
def test_a_handshake_by_cookie_grants_what_can_be_kept(client: int, timestamps: int, expected: int) -> None:
    settings = {"tcp_syncookies": 2, "tcp_timestamps": timestamps}
    _, host, ours, theirs = connected(tcp_ecn=client, **settings)
    assert host.counters()["SyncookiesRecv"] == 1
    assert (ours.status().ecn_mode, theirs.status().ecn_mode) == (expected, expected)
