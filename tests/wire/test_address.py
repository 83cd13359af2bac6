"""Addresses as octets and as text."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulpen.wire.address import address, is_broadcast, is_loopback, is_multicast, is_unspecified, text


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        ("192.0.2.1", b"\xc0\x00\x02\x01"),
        ("::1", bytes(15) + b"\x01"),
        ("2001:db8::a", bytes.fromhex("20010db800000000000000000000000a")),
    ],
)
def test_text_and_octets(written: str, octets: bytes) -> None:
    assert address(written) == octets
    assert address(octets) is octets
    assert address(ip_address(written)) == octets
    assert text(octets) == written


@pytest.mark.parametrize("nonsense", ["", "localhost", "1.2.3", "1.2.3.256", b"", b"12345", bytes(15)])
def test_what_is_no_address(nonsense: str | bytes) -> None:
    with pytest.raises(ValueError, match="address"):
        address(nonsense)


def is_mapped(known: IPv4Address | IPv6Address) -> bool:
    """Newer Pythons ask the IPv4 address inside, which never is what a packet was sent to."""
    return isinstance(known, IPv6Address) and known.ipv4_mapped is not None


@given(st.ip_addresses().filter(lambda known: not is_mapped(known)))
def test_as_ipaddress_has_it(known: IPv4Address | IPv6Address) -> None:
    octets = known.packed
    assert is_multicast(octets) == known.is_multicast
    assert is_loopback(octets) == known.is_loopback
    assert is_unspecified(octets) == known.is_unspecified


@pytest.mark.parametrize(
    ("written", "is_one"),
    [
        ("255.255.255.255", {"broadcast"}),
        ("224.0.0.1", {"multicast"}),
        ("239.255.255.255", {"multicast"}),
        ("240.0.0.1", set()),
        ("ff02::1", {"multicast"}),
        ("fe80::1", set()),
        ("0.0.0.0", {"unspecified"}),
        ("::", {"unspecified"}),
        ("127.9.9.9", {"loopback"}),
        ("::1", {"loopback"}),
    ],
)
def test_predicates(written: str, is_one: set[str]) -> None:
    asked = {
        "broadcast": is_broadcast,
        "multicast": is_multicast,
        "unspecified": is_unspecified,
        "loopback": is_loopback,
    }
    assert {name for name, predicate in asked.items() if predicate(address(written))} == is_one
