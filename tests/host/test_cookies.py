"""SYN cookies (RFC 4987 §3.6): what they carry, how long they are good, what is lost."""

from __future__ import annotations

import pytest

from tulpen.host.cookies import MSS_TABLE_V4, MSS_TABLE_V6, PERIOD, Cookies
from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.trace import FourTuple
from tulpen.wire.options import Options

V4 = FourTuple(b"\x0a\0\0\1", 80, b"\x0a\0\0\2", 1025)
V6 = FourTuple(b"\xfd" + bytes(14) + b"\1", 80, b"\xfd" + bytes(14) + b"\2", 1025)
IRS = 0xFFFF_FFF0
NOON = 12 * 3600 * SECOND


@pytest.mark.parametrize(
    ("name", "mss", "kept"),
    [
        (V4, 1460, 1460),
        (V4, 1459, 1440),
        (V4, 1400, 1300),
        (V4, 536, 536),
        (V4, 100, 536),
        (V4, 65535, 1460),
        (V6, 1440, 1440),
        (V6, 1300, 1220),
        (V6, 9000, 8940),
    ],
)
def test_the_mss_comes_back_as_the_next_lower_of_four(name: FourTuple, mss: int, kept: int) -> None:
    cookies = Cookies(Settings(), b"secret")
    assert cookies.check(name, IRS, cookies.make(name, IRS, mss, NOON), NOON) == kept
    assert kept in (MSS_TABLE_V4 if name is V4 else MSS_TABLE_V6)


@pytest.mark.parametrize(
    ("made", "checked", "good"),
    [
        (NOON, NOON + PERIOD - 1, True),
        (NOON, NOON + PERIOD, True),
        (NOON, NOON + 2 * PERIOD - 1, True),
        (NOON, NOON + 2 * PERIOD, False),
        (NOON, NOON + 256 * PERIOD, False),  # the minute comes round again, the hash does not
        (NOON + PERIOD, NOON, False),
        (0, 0, True),
    ],
)
def test_they_are_good_for_two_minutes(made: int, checked: int, good: bool) -> None:
    cookies = Cookies(Settings(), b"secret")
    assert (cookies.check(V4, IRS, cookies.make(V4, IRS, 1460, made), checked) == 1460) is good


def test_a_cookie_is_good_for_its_own_connection_only() -> None:
    cookies = Cookies(Settings(), b"secret")
    cookie = cookies.make(V4, IRS, 1460, NOON)
    assert cookies.check(V4._replace(remote_port=1026), IRS, cookie, NOON) is None
    assert cookies.check(V4, IRS + 5, cookie, NOON) is None
    assert cookies.check(V4, IRS, cookie + 4, NOON) is None
    assert Cookies(Settings(), b"another").check(V4, IRS, cookie, NOON) is None


def test_guessing_one_takes_millions_of_tries() -> None:
    cookies = Cookies(Settings(), b"secret")
    assert sum(cookies.check(V4, IRS, guess * 40_503, NOON) is not None for guess in range(20_000)) == 0


@pytest.mark.parametrize("wscale", [None, 0, 7, 14])
@pytest.mark.parametrize("sack", [False, True])
def test_the_timestamp_carries_window_scale_and_sack(wscale: int | None, sack: bool) -> None:
    cookies = Cookies(Settings(), b"secret")
    offset = 0xFFFF_FF00
    clock = 1_000_003
    sent = cookies.timestamp(clock, Options(mss=1460, wscale=wscale, sack_permitted=sack, tsval=5))
    assert clock - 128 < sent <= clock
    back = cookies.offered(1460, Options(tsval=6, tsecr=(sent + offset) & 0xFFFF_FFFF), offset)
    assert back is not None
    assert (back.mss, back.wscale, back.sack_permitted, back.tsval) == (1460, wscale, sack, 6)


def test_without_timestamps_all_but_the_mss_is_lost() -> None:
    back = Cookies(Settings(), b"secret").offered(1440, Options(), 0)
    assert back is not None
    assert (back.mss, back.wscale, back.sack_permitted, back.tsval) == (1440, None, False, None)


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        (Settings(tcp_timestamps=0), 0x0F),
        (Settings(tcp_sack=False), 0x1F),
        (Settings(tcp_window_scaling=False), 0x07),
    ],
)
def test_an_ack_may_not_claim_what_was_never_offered(settings: Settings, kept: int) -> None:
    assert Cookies(settings, b"secret").offered(1460, Options(tsval=1, tsecr=kept), 0) is None


def test_early_in_the_life_of_the_clock() -> None:
    cookies = Cookies(Settings(), b"secret")
    for clock in range(70):
        sent = cookies.timestamp(clock, Options(mss=1460, wscale=14, sack_permitted=True, tsval=1))
        assert 0 <= sent < 2**32
