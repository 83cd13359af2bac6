from __future__ import annotations

import errno
from contextlib import suppress
from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from tulpen.drill.genuine.structures import address_of, build_address, build_error, build_info, build_moment
from tulpen.drill.problems import Unsupported
from tulpen.drill.world import CallFailed
from tulpen.kernel.sock_diag import TcpInfo, read_tcp_info
from tulpen.tcp.stamping import Kind, Stamp
from tulpen.wire.address import address

fields = st.dictionaries(st.sampled_from([f"tcpi_{name}" for name in TcpInfo._fields]), st.integers(-(2**70), 2**70))


@given(fields, st.integers(0, 400))
def test_any_number_fits_its_field(known: dict[str, int], room: int) -> None:
    octets = build_info(known, room)
    assert len(octets) == room


def test_fields_stand_where_the_kernel_has_them() -> None:
    known = {"tcpi_state": 1, "tcpi_snd_wscale": 7, "tcpi_rcv_wscale": 8, "tcpi_rtt": 40_000, "tcpi_bytes_acked": 2**33}
    info = read_tcp_info(build_info(known | {"tcpi_last_data_sent": -1}, 280))
    assert (info.state, info.wscale, info.rtt, info.bytes_acked) == (1, 0x87, 40_000, 2**33)
    assert info.last_data_sent == 0xFFFF_FFFF


def test_accecn_comes_last() -> None:
    octets = build_info({"tcpi_received_ce": 5, "tcpi_delivered_ce_bytes": 6, "tcpi_ecn_mode": 2}, 280)
    assert octets[248:252] == pack("=I", 5)
    assert octets[260:264] == pack("=I", 6)
    assert octets[276:] == pack("=I", 2)


def test_addresses_there_and_back() -> None:
    for said, ipv6 in (("192.0.2.1", False), ("192.0.2.1", True), ("2001:db8::1", True)):
        octets = build_address(address(said), 8080, ipv6=ipv6)
        assert len(octets) == (28 if ipv6 else 16)
        assert f'sin_port=8080, sin_addr=inet_addr("{said}")' in str(address_of(octets))


@given(st.binary(max_size=40))
def test_no_octets_do_harm(octets: bytes) -> None:
    with suppress(CallFailed, Unsupported):
        address_of(octets)


def test_an_entry_of_the_error_queue() -> None:
    stamp = Stamp(Kind.ACKNOWLEDGED, 2963, 3_000_000_004)
    assert build_moment(stamp) == pack("@6l", 3, 4, 0, 0, 0, 0)
    assert build_error(stamp, ipv6=False) == pack("=I4B2I16x", errno.ENOMSG, 4, 0, 0, 0, 2, 2963)
    assert len(build_error(stamp, ipv6=True)) == 16 + 28
