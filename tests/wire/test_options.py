"""TCP options, legal and not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.values import options
from tulpen.wire.options import MOST_SECONDS, NO_OPTIONS, EcnCounters, Options, build_options, parse_options

SYN_OF_LINUX = "020405b40402080a59275802000000000103030a"


def parse(octets: str) -> Options:
    return parse_options(memoryview(bytes.fromhex(octets)))


@pytest.mark.requirement("MUST-4")
@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("", NO_OPTIONS),
        ("00000000", NO_OPTIONS),
        ("01010101", NO_OPTIONS),
        ("020405b4", Options(mss=1460)),
        ("02040000", Options(mss=0)),
        ("01030307", Options(wscale=7)),
        ("010303ff", Options(wscale=255)),
        ("01010402", Options(sack_permitted=True)),
        ("0101080a0000000100000002", Options(tsval=1, tsecr=2)),
        ("080a00000001000000020000", Options(tsval=1, tsecr=2)),
        ("0101050a0000000100000002", Options(sack=((1, 2),))),
        ("ae0b00000100000200000301", Options(acc_ecn=EcnCounters(174, (1, 2, 3)))),
        ("ac08000001000002", Options(acc_ecn=EcnCounters(172, (1, 2)))),
        ("ae0500000101050a0000000100000002", Options(acc_ecn=EcnCounters(174, (1,)), sack=((1, 2),))),
        ("ae02050a0000000100000002", Options(acc_ecn=EcnCounters(174, ()), sack=((1, 2),))),
        ("0101051200000001000000020000000300000004", Options(sack=((1, 2), (3, 4)))),
        ("1c04001e", Options(user_timeout=30)),
        ("1c04801e", Options(user_timeout=30 * 60)),
        ("1c040000", Options(user_timeout=0)),
        ("22020101", Options(fast_open=b"")),
        ("220a01020304050607080101", Options(fast_open=bytes(range(1, 9)))),
        ("fe04f989", Options(fast_open=b"", fast_open_experimental=True)),
        ("fe08f98901020304", Options(fast_open=b"\1\2\3\4", fast_open_experimental=True)),
        ("fd04abcd", Options(others=((253, b"\xab\xcd"),))),
        ("fd02fe0301000000", Options(others=((253, b""), (254, b"\x01")))),
        (SYN_OF_LINUX, Options(mss=1460, sack_permitted=True, tsval=0x59275802, wscale=10)),
    ],
)
def test_parse(octets: str, expected: Options) -> None:
    assert parse(octets) == expected
    assert parse_options(bytes.fromhex(octets)) == expected


@pytest.mark.requirement("MUST-64")
@pytest.mark.parametrize("nops", range(4))
def test_no_alignment_is_needed(nops: int) -> None:
    assert parse("01" * nops + "080a0000000100000002" + "020405b4") == Options(tsval=1, tsecr=2, mss=1460)


@pytest.mark.requirement("MUST-69")
def test_what_follows_the_end_is_not_read() -> None:
    assert parse("020405b4" + "00" + "080a0000000100000002" + "00") == Options(mss=1460)


@pytest.mark.requirement("MUST-6")
@pytest.mark.requirement("MUST-68")
def test_an_unknown_option_is_passed_over_by_its_length() -> None:
    assert parse("2307" + "7061737300" + "01" + "020405b4") == Options(others=((35, b"pass\0"),), mss=1460)


def test_the_last_of_two_counts() -> None:
    assert parse("020405b4" + "02040218") == Options(mss=536)


@pytest.mark.requirement("MUST-7")
@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        ("0200", Options(malformed=True)),  # a length of zero would never end
        ("0201", Options(malformed=True)),
        ("02", Options(malformed=True)),  # no length at all
        ("0204", Options(malformed=True)),  # reaches beyond the end
        ("020405", Options(malformed=True)),
        ("fdff0000", Options(malformed=True)),
        ("020405b4" + "0800" + "01030307", Options(mss=1460, malformed=True)),
        ("020405b4" + "080a00000001", Options(mss=1460, malformed=True)),
        # a length that is not the kind's own: kept, and the next is read
        ("0203ff" + "030307", Options(wscale=7, others=((2, b"\xff"),), malformed=True)),
        ("0302" + "0101", Options(others=((3, b""),), malformed=True)),
        ("040300" + "01", Options(others=((4, b"\0"),), malformed=True)),
        ("0502" + "0101", Options(others=((5, b""),), malformed=True)),
        ("0506" + "00000001" + "0101", Options(others=((5, b"\0\0\0\1"),), malformed=True)),
        ("0806" + "00000001" + "0101", Options(others=((8, b"\0\0\0\1"),), malformed=True)),
        ("1c0300" + "01", Options(others=((28, b"\0"),), malformed=True)),
    ],
)
def test_lying_lengths(octets: str, kept: Options) -> None:
    assert parse(octets) == kept


@pytest.mark.parametrize(
    ("given", "octets"),
    [
        (NO_OPTIONS, ""),
        (Options(), ""),
        (Options(mss=1460, sack_permitted=True, tsval=0x59275802, wscale=10), SYN_OF_LINUX),
        (Options(mss=1460, sack_permitted=True, wscale=7), "020405b4" + "01010402" + "01030307"),
        (Options(tsval=1, tsecr=2), "0101080a0000000100000002"),
        (Options(tsval=1, tsecr=2, sack=((3, 4),)), "0101080a0000000100000002" + "0101050a0000000300000004"),
        (Options(mss=1460, sack_permitted=True, wscale=7, fast_open=b""), "020405b40101040201030307" + "22020101"),
        (Options(fast_open=bytes(8)), "220a" + "00" * 8 + "0101"),
        (Options(fast_open=bytes(8), fast_open_experimental=True), "fe0cf989" + "00" * 8),
        (Options(user_timeout=30), "1c04001e"),
        (Options(user_timeout=0x7FFF), "1c047fff"),
        (Options(user_timeout=0x8000), "1c048223"),  # 546.1 minutes, rounded up
        (Options(user_timeout=MOST_SECONDS), "1c04ffff"),
    ],
)
def test_build(given: Options, octets: str) -> None:
    assert build_options(given).hex() == octets


@pytest.mark.requirement("MUST-69")
def test_padding_is_zeros() -> None:
    assert build_options(Options(others=((253, b"\1"),))).hex() == "fd030100"


@given(options())
def test_round_trip(given: Options) -> None:
    built = build_options(given)
    assert len(built) % 4 == 0
    assert parse_options(built) == given


@given(st.integers(0, 0xFFFF), st.integers(0, 255), st.integers(0, 0xFFFF_FFFF), st.integers(0, 0xFFFF_FFFF))
def test_a_syn_of_linux_is_read_at_once_and_alike(mss: int, wscale: int, tsval: int, tsecr: int) -> None:
    octets = build_options(Options(mss, wscale, True, tsval, tsecr))
    assert len(octets) == len(bytes.fromhex(SYN_OF_LINUX))
    one_by_one = parse_options(octets + bytes(4))
    assert parse_options(octets) == one_by_one == Options(mss, wscale, True, tsval, tsecr)


def test_four_blocks_fit_without_timestamps_and_three_with() -> None:
    blocks = tuple((at, at + 1) for at in range(5))
    assert len(build_options(Options(sack=blocks[:4]))) == 36
    assert len(build_options(Options(sack=blocks[:3], tsval=1))) == 40
    for too_many in (Options(sack=blocks), Options(sack=blocks[:4], tsval=1)):
        with pytest.raises(ValueError, match="40 is the most"):
            build_options(too_many)


def test_alignment_gives_way_to_room() -> None:
    packed = "080a0000000100000002" + "030307" + "051a" + "0000000100000002" * 3 + "00"
    assert build_options(parse(packed)).hex() == packed


def test_a_user_timeout_that_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="1966020 s is the most"):
        build_options(Options(user_timeout=MOST_SECONDS + 1))


@given(st.binary(max_size=48))
def test_no_octets_raise(octets: bytes) -> None:
    parse_options(octets)


@given(options(), st.data())
def test_cut_anywhere_what_stood_before_is_kept(given: Options, data: st.DataObject) -> None:
    built = build_options(given)
    found = parse_options(built[: data.draw(st.integers(0, len(built)))])
    assert found.mss in (None, given.mss)
    assert found.tsval in (None, given.tsval)
    assert found.sack in ((), given.sack)


def test_repr_is_tcpdumps() -> None:
    assert repr(NO_OPTIONS) == "<>"
    assert repr(parse(SYN_OF_LINUX)) == "<mss 1460, sackOK, TS val 1495750658 ecr 0, wscale 10>"
    strange = Options(sack=((1, 2), (3, 4)), user_timeout=30, others=((253, b"\xab"),), malformed=True)
    assert repr(Options(fast_open=b"")) == "<tfo cookiereq>"
    assert repr(Options(fast_open=b"\1\2", fast_open_experimental=True)) == "<exp-tfo 0102>"
    assert repr(strange) == "<sack {1:2} {3:4}, uto 30s, unknown-253 0xab, malformed>"


def test_equality() -> None:
    assert Options(mss=1) == Options(mss=1) != Options(mss=2)
    assert hash(Options(mss=1)) == hash(Options(mss=1))
    assert Options() == NO_OPTIONS
    assert NO_OPTIONS != "<>"
