"""ICMP messages: what they say, what they quote, and errors of our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import linux_packets as linux
from tests.wire.values import messages
from tulpen.wire.address import address
from tulpen.wire.icmp import (
    ICMP,
    ICMP6,
    Icmp,
    IcmpKind,
    Quoted,
    build_icmp,
    echo_reply,
    echo_request,
    kind_of,
    numbers,
    parse_icmp,
)
from tulpen.wire.icmp_error import icmp_error, may_report
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.malformed import BadChecksum, Kind, Malformed
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, PSH, Segment

ENDS_4 = (linux.KERNEL_4, linux.PEER_4)
ENDS_6 = (linux.KERNEL_6, linux.PEER_6)
HELLO = Segment(1000, 2000, ACK | PSH, 512, b"hello", Options(tsval=5, tsecr=6), sport=40000, dport=80)


def message(octets: bytes) -> Icmp:
    payload = parse_packet(octets).payload
    assert isinstance(payload, Icmp)
    return payload


def quoted(src: str, dst: str) -> Quoted:
    return Quoted(address(src), address(dst), 40000, 80, 1000)


@pytest.mark.parametrize(
    ("octets", "kind", "mtu", "embedded"),
    [
        (linux.TIME_EXCEEDED_4, IcmpKind.TIME_EXCEEDED, 0, quoted("192.0.2.2", "198.51.100.2")),
        (linux.PROHIBITED_4, IcmpKind.ADMIN_PROHIBITED, 0, quoted("192.0.2.2", "203.0.113.2")),
        (linux.TOO_BIG_4, IcmpKind.PACKET_TOO_BIG, 1280, quoted("192.0.2.2", "198.51.100.2")),
        (linux.NO_PROTOCOL_4, IcmpKind.UNREACHABLE_PROTOCOL, 0, None),
        (linux.TIME_EXCEEDED_6, IcmpKind.TIME_EXCEEDED, 0, quoted("2001:db8::2", "2001:db8:1::2")),
        (linux.NO_ROUTE_6, IcmpKind.UNREACHABLE_NET, 0, quoted("2001:db8::2", "2001:db8:2::2")),
        (linux.TOO_BIG_6, IcmpKind.PACKET_TOO_BIG, 1280, quoted("2001:db8::2", "2001:db8:1::2")),
    ],
)
def test_errors_of_linux(octets: bytes, kind: IcmpKind, mtu: int, embedded: Quoted | None) -> None:
    found = message(octets)
    assert (found.kind, found.mtu, found.embedded) == (kind, mtu, embedded)
    assert found.is_error


@pytest.mark.parametrize("octets", [linux.ECHO_REPLY_4, linux.ECHO_REPLY_6])
def test_echo_replies_of_linux(octets: bytes) -> None:
    found = message(octets)
    assert (found.kind, found.ident, found.seq, found.data) == (IcmpKind.ECHO_REPLY, 7, 9, b"odd")
    assert not found.is_error
    assert found.embedded is None


@pytest.mark.parametrize(("octets", "ends"), [(linux.ECHO_REPLY_4, ENDS_4), (linux.ECHO_REPLY_6, ENDS_6)])
def test_our_reply_is_linuxs(octets: bytes, ends: tuple[bytes, bytes]) -> None:
    ipv6 = len(ends[0]) == 16
    reply = echo_reply(echo_request(7, 9, b"odd", ipv6=ipv6))
    assert reply == message(octets)
    assert build_icmp(reply, *ends) == octets[40 if ipv6 else 20 :]


@pytest.mark.parametrize(
    ("type", "code", "kind_4", "kind_6"),
    [
        (0, 0, IcmpKind.ECHO_REPLY, IcmpKind.OTHER),
        (8, 0, IcmpKind.ECHO_REQUEST, IcmpKind.OTHER),
        (8, 9, IcmpKind.ECHO_REQUEST, IcmpKind.OTHER),
        (128, 0, IcmpKind.OTHER, IcmpKind.ECHO_REQUEST),
        (129, 1, IcmpKind.OTHER, IcmpKind.ECHO_REPLY),
        (3, 0, IcmpKind.UNREACHABLE_NET, IcmpKind.TIME_EXCEEDED),
        (3, 1, IcmpKind.UNREACHABLE_HOST, IcmpKind.TIME_EXCEEDED),
        (3, 2, IcmpKind.UNREACHABLE_PROTOCOL, IcmpKind.TIME_EXCEEDED),
        (3, 3, IcmpKind.UNREACHABLE_PORT, IcmpKind.TIME_EXCEEDED),
        (3, 4, IcmpKind.PACKET_TOO_BIG, IcmpKind.TIME_EXCEEDED),
        (3, 5, IcmpKind.SOURCE_ROUTE_FAILED, IcmpKind.TIME_EXCEEDED),
        (3, 13, IcmpKind.ADMIN_PROHIBITED, IcmpKind.TIME_EXCEEDED),
        (3, 16, IcmpKind.OTHER, IcmpKind.TIME_EXCEEDED),
        (4, 0, IcmpKind.SOURCE_QUENCH, IcmpKind.PARAMETER_PROBLEM),
        (4, 1, IcmpKind.SOURCE_QUENCH, IcmpKind.UNREACHABLE_PROTOCOL),
        (1, 0, IcmpKind.OTHER, IcmpKind.UNREACHABLE_NET),
        (1, 3, IcmpKind.OTHER, IcmpKind.UNREACHABLE_HOST),
        (1, 4, IcmpKind.OTHER, IcmpKind.UNREACHABLE_PORT),
        (1, 9, IcmpKind.OTHER, IcmpKind.OTHER),
        (2, 7, IcmpKind.OTHER, IcmpKind.PACKET_TOO_BIG),
        (5, 1, IcmpKind.REDIRECT, IcmpKind.OTHER),
        (137, 0, IcmpKind.OTHER, IcmpKind.REDIRECT),
        (11, 1, IcmpKind.TIME_EXCEEDED, IcmpKind.OTHER),
        (12, 0, IcmpKind.PARAMETER_PROBLEM, IcmpKind.OTHER),
    ],
)
def test_kinds(type: int, code: int, kind_4: IcmpKind, kind_6: IcmpKind) -> None:
    assert kind_of(type, code, ipv6=False) is kind_4
    assert kind_of(type, code, ipv6=True) is kind_6


@pytest.mark.parametrize("ipv6", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in IcmpKind if kind is not IcmpKind.OTHER])
def test_numbers_say_the_kind(kind: IcmpKind, ipv6: bool) -> None:
    if ipv6 and kind is IcmpKind.SOURCE_QUENCH:
        with pytest.raises(ValueError, match="IPv6 has no message that says 'source quench'"):
            numbers(kind, ipv6=True)
    else:
        assert kind_of(*numbers(kind, ipv6=ipv6), ipv6=ipv6) is kind


@given(st.booleans(), st.data())
def test_round_trip(ipv6: bool, data: st.DataObject) -> None:
    given_message = data.draw(messages(ipv6=ipv6))
    ends = ENDS_6 if ipv6 else ENDS_4
    octets = build_icmp(given_message, *ends)
    found = parse_icmp(memoryview(octets), *ends)
    assert build_icmp(found, *ends) == octets
    if found.embedded is None:
        assert found == given_message


@pytest.mark.parametrize("ends", [ENDS_4, ENDS_6])
@pytest.mark.parametrize("size", range(8))
def test_truncated(ends: tuple[bytes, bytes], size: int) -> None:
    with pytest.raises(Malformed, match=f"{size} octets cannot hold an ICMP header of 8") as caught:
        parse_icmp(memoryview(bytes(size)), *ends)
    assert caught.value.kind is Kind.TRUNCATED


@pytest.mark.parametrize("ends", [ENDS_4, ENDS_6])
def test_a_bad_checksum(ends: tuple[bytes, bytes]) -> None:
    octets = bytearray(build_icmp(echo_request(1, 2, b"x", ipv6=len(ends[0]) == 16), *ends))
    octets[-1] ^= 1
    with pytest.raises(BadChecksum, match=r"^the ICMP checksum is wrong \(at octet 2\)$"):
        parse_icmp(memoryview(octets), *ends)
    assert parse_icmp(memoryview(octets), *ends, verify=False).ident == 1


class TestQuotes:
    """An error about a segment may quote no more than 8 octets of it, or less."""

    @staticmethod
    def quoting(quote: bytes | bytearray, *, ipv6: bool = False) -> Quoted | None:
        type, code = numbers(IcmpKind.TIME_EXCEEDED, ipv6=ipv6)
        ends = ENDS_6 if ipv6 else ENDS_4
        octets = build_icmp(Icmp(IcmpKind.TIME_EXCEEDED, type, code, data=bytes(quote)), *ends)
        return parse_icmp(memoryview(octets), *ends).embedded

    @pytest.mark.parametrize("octets", [linux.TIME_EXCEEDED_4[28:], linux.TIME_EXCEEDED_6[48:]])
    def test_cut_anywhere(self, octets: bytes) -> None:
        ipv6 = octets[0] >> 4 == 6
        enough = (40 if ipv6 else 20) + 8
        for size in range(len(octets) + 1):
            found = self.quoting(octets[:size], ipv6=ipv6)
            assert (found is not None) == (size >= enough), size

    @pytest.mark.parametrize(
        ("at", "octet"),
        [(0, 0x65), (0, 0x44), (0, 0x4F), (9, 17), (6, 0x00 | 0x10), (7, 0x01)],
        ids=["version", "short header", "long header", "protocol", "fragment", "fragment too"],
    )
    def test_no_quote_of_tcp_4(self, at: int, octet: int) -> None:
        octets = bytearray(linux.TIME_EXCEEDED_4[28:])
        octets[at] = octet
        assert self.quoting(octets) is None

    def test_options_before_the_segment(self) -> None:
        octets = bytearray(linux.TIME_EXCEEDED_4[28:])
        octets[0] = 0x46
        octets[20:20] = b"\1\1\1\1"
        assert self.quoting(octets) == quoted("192.0.2.2", "198.51.100.2")

    @pytest.mark.parametrize(("at", "octet"), [(0, 0x45), (6, 17), (6, 44)], ids=["version", "protocol", "fragment"])
    def test_no_quote_of_tcp_6(self, at: int, octet: int) -> None:
        octets = bytearray(linux.TIME_EXCEEDED_6[48:])
        octets[at] = octet
        assert self.quoting(octets, ipv6=True) is None

    def test_extension_headers_before_the_segment(self) -> None:
        octets = bytearray(linux.TIME_EXCEEDED_6[48:])
        octets[6] = 60
        octets[40:40] = b"\x06\0\1\4\0\0\0\0"
        assert self.quoting(octets, ipv6=True) == quoted("2001:db8::2", "2001:db8:1::2")

    @pytest.mark.parametrize("next_header", [0, 43, 60])
    def test_extension_headers_that_name_themselves(self, next_header: int) -> None:
        octets = linux.TIME_EXCEEDED_6[48:54] + bytes((next_header,)) + bytes(33)
        assert self.quoting(octets + bytes((next_header, 0)) * 600, ipv6=True) is None
        assert self.quoting(octets + bytes((next_header, 255)) * 600, ipv6=True) is None

    def test_an_extension_header_cut_at_its_first_octet(self) -> None:
        octets = linux.TIME_EXCEEDED_6[48:54] + bytes((60,)) + bytes(33)
        assert self.quoting(octets + b"\x06" + bytes(7), ipv6=True) is None


class TestErrors:
    """What we tell a sender, as Linux tells it."""

    @pytest.mark.parametrize(
        ("octets", "kind", "src", "dst", "ttl"),
        [
            (linux.TIME_EXCEEDED_4, IcmpKind.TIME_EXCEEDED, "192.0.2.2", "198.51.100.2", 1),
            (linux.PROHIBITED_4, IcmpKind.ADMIN_PROHIBITED, "192.0.2.2", "203.0.113.2", 64),
            (linux.NO_ROUTE_6, IcmpKind.UNREACHABLE_NET, "2001:db8::2", "2001:db8:2::2", 64),
        ],
    )
    def test_about_a_segment(self, octets: bytes, kind: IcmpKind, src: str, dst: str, ttl: int) -> None:
        about = Packet(address(src), address(dst), HELLO, ttl=ttl)
        error = icmp_error(about, kind, parse_packet(octets).src)
        assert error is not None
        theirs = parse_packet(octets)
        assert (error.payload, error.src, error.dst) == (theirs.payload, theirs.src, theirs.dst)

    @pytest.mark.parametrize(
        ("octets", "src", "dst"),
        [
            (linux.TOO_BIG_4, "192.0.2.2", "198.51.100.2"),
            (linux.TOO_BIG_6, "2001:db8::2", "2001:db8:1::2"),
        ],
    )
    def test_about_a_large_segment(self, octets: bytes, src: str, dst: str) -> None:
        large = Segment(1000, 2000, ACK | PSH, 512, b"h" * 1400, HELLO.options, sport=40000, dport=80)
        error = icmp_error(
            Packet(address(src), address(dst), large), IcmpKind.PACKET_TOO_BIG, parse_packet(octets).src, mtu=1280
        )
        assert error is not None
        assert error.payload == message(octets)
        assert len(build_packet(error)) == len(octets)

    @pytest.mark.parametrize(
        ("src", "dst"),
        [
            ("192.0.2.2", "224.0.0.1"),
            ("192.0.2.2", "255.255.255.255"),
            ("0.0.0.0", "192.0.2.1"),
            ("255.255.255.255", "192.0.2.1"),
            ("224.0.0.1", "192.0.2.1"),
            ("::", "2001:db8::1"),
            ("2001:db8::2", "ff02::1"),
        ],
    )
    def test_never_to_or_about_more_than_one_host(self, src: str, dst: str) -> None:
        about = Packet(address(src), address(dst), HELLO)
        assert not may_report(about)
        assert icmp_error(about, IcmpKind.TIME_EXCEEDED, linux.KERNEL_4) is None

    @pytest.mark.parametrize("octets", [linux.TIME_EXCEEDED_4, linux.NO_ROUTE_6, linux.NO_PROTOCOL_4])
    def test_never_about_an_error(self, octets: bytes) -> None:
        assert not may_report(parse_packet(octets))

    def test_about_an_echo_request(self) -> None:
        about = Packet(*ENDS_4, echo_request(1, 2, b"ping"), protocol=ICMP)
        error = icmp_error(about, IcmpKind.UNREACHABLE_HOST, linux.PEER_4)
        assert error is not None
        assert isinstance(error.payload, Icmp)
        assert error.payload.embedded is None
        assert error.payload.data == build_packet(about)


def test_repr() -> None:
    assert repr(message(linux.TIME_EXCEEDED_4)) == (
        "<Icmp time exceeded (11/0) len=57 about 192.0.2.2:40000 > 198.51.100.2:80 seq=1000>"
    )
    assert repr(echo_request(1, 2, ipv6=True)) == "<Icmp echo request (128/0) len=0>"


def test_equality() -> None:
    assert echo_request(1, 2) == echo_request(1, 2) != echo_request(1, 3)
    assert hash(echo_request(1, 2)) == hash(echo_request(1, 2))
    assert echo_request(1, 2) != "ping"
    assert parse_packet(linux.NO_ROUTE_6).protocol == ICMP6
