"""Keys, set as a program sets them on a socket of Linux."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from tulpen.aio.sockopt import set_option
from tulpen.aio.sockopt_keys import TCP_AO_ADD_KEY, TCP_MD5SIG, TCP_MD5SIG_EXT
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.keys import CMAC_AES128, HMAC_SHA1, AoKey, Md5Key
from tulpen.wire.address import address

V4, V6 = "192.0.2.0", "2001:db8::"


def host(text: str) -> bytes:
    if ":" in text:
        return struct.pack("=HHI16s", socket.AF_INET6, 0, 0, address(text)).ljust(128, b"\0")
    return struct.pack("=HH4s", socket.AF_INET, 0, address(text)).ljust(128, b"\0")


def md5(text: str, key: bytes, *, flags: int = 0, prefix: int = 0, length: int | None = None) -> bytes:
    return host(text) + struct.pack("=BBHi80s", flags, prefix, len(key) if length is None else length, 0, key)


def ao(text: str, key: bytes, ids: tuple[int, int], name: str = HMAC_SHA1, mac: int = 0, flags: int = 0) -> bytes:
    lengths = struct.pack("=BBBBBB80s", 24, *ids, mac, flags, len(key), key)
    return host(text) + name.encode().ljust(64, b"\0") + struct.pack("=iIH", 0, 0, 0) + lengths


def given(name: int, *values: bytes) -> SocketOptions:
    options = SocketOptions()
    for value in values:
        set_option(options, socket.IPPROTO_TCP, name, value)
    return options


def refused(name: int, value: bytes | int, *before: bytes) -> int:
    options = given(name, *before)
    with pytest.raises(OSError, match=r"\[Errno") as caught:
        set_option(options, socket.IPPROTO_TCP, name, value)
    return caught.value.errno or 0


def test_md5() -> None:
    assert given(TCP_MD5SIG, md5(V4, b"one")).tcp_md5sig == (Md5Key(address(V4), b"one"),)
    assert given(TCP_MD5SIG, md5(V6, b"one", flags=1, prefix=7)).tcp_md5sig == (Md5Key(address(V6), b"one"),)
    assert given(TCP_MD5SIG_EXT, md5(V6, b"one", flags=1, prefix=32)).tcp_md5sig == (Md5Key(address(V6), b"one", 32),)


def test_a_key_is_replaced_and_taken_away() -> None:
    assert given(TCP_MD5SIG, md5(V4, b"one"), md5(V4, b"two")).tcp_md5sig == (Md5Key(address(V4), b"two"),)
    assert given(TCP_MD5SIG, md5(V4, b"one"), md5(V6, b"two"), md5(V4, b"")).tcp_md5sig == (
        Md5Key(address(V6), b"two"),
    )
    assert refused(TCP_MD5SIG, md5(V4, b"")) == errno.ENOENT


def test_master_keys() -> None:
    options = given(TCP_AO_ADD_KEY, ao(V4, b"one", (1, 2)), ao(V4, b"two", (3, 4), CMAC_AES128, 16, 2))
    assert options.tcp_ao == (
        AoKey(address(V4), b"one", 1, 2, 24),
        AoKey(address(V4), b"two", 3, 4, 24, CMAC_AES128, 16, covers_options=False),
    )
    assert refused(TCP_AO_ADD_KEY, ao(V4, b"two", (1, 4)), ao(V4, b"one", (1, 2))) == errno.EEXIST


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (TCP_MD5SIG, 1),
        (TCP_MD5SIG, b"short"),
        (TCP_MD5SIG, bytes(216)),
        (TCP_MD5SIG, md5(V4, b"x", length=81)),
        (TCP_MD5SIG_EXT, md5(V4, b"x", flags=1, prefix=33)),
        (TCP_AO_ADD_KEY, b"short"),
        (TCP_AO_ADD_KEY, ao(V4, b"", (1, 2))),
        (TCP_AO_ADD_KEY, ao(V4, b"x", (1, 2), "rot13")),
        (TCP_AO_ADD_KEY, ao(V4, b"x", (1, 2), mac=20)),
    ],
)
def test_what_is_none(name: int, value: int | bytes) -> None:
    assert refused(name, value) == errno.EINVAL
