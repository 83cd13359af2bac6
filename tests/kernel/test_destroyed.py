from __future__ import annotations

import socket
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulpen.kernel.destroyed import Destroyed, read_last, read_octets
from tulpen.tcp.trace import FourTuple


def message(*attributes: tuple[int, bytes], family: int = socket.AF_INET) -> bytes:
    body = struct.pack("=4B", family, 7, 0, 0) + struct.pack("!HH", 80, 5000)
    body += bytes([192, 0, 2, 1]).ljust(16, b"\0") + bytes([192, 0, 2, 2]).ljust(16, b"\0")
    body += struct.pack("=IQ5I", 0, 99, 0, 0, 0, 0, 0)
    for kind, value in attributes:
        body += struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    return struct.pack("=IHHII", 16 + len(body), 20, 0, 0, 0) + body


def info(received: int, segments: int, sent: int, repeated: int) -> bytes:
    octets = bytearray(248)
    struct.pack_into("=Q", octets, 128, received)
    struct.pack_into("=I", octets, 140, segments)
    struct.pack_into("=QQ", octets, 200, sent, repeated)
    return bytes(octets)


def test_the_last_numbers() -> None:
    told = message((8, b"\0"), (2, info(11, 4, 30, 10)))
    assert read_octets(told) == (20, 11)
    last = read_last(told)
    assert last is not None
    assert last.name == FourTuple(bytes([192, 0, 2, 1]), 80, bytes([192, 0, 2, 2]), 5000)
    assert last.info is not None
    assert (last.info.bytes_received, last.info.bytes_sent) == (11, 30)


def test_where_the_numbers_stand_may_change() -> None:
    assert read_octets(message((2, info(1, 1, 1, 0)))) == (1, 1)
    assert read_octets(message((8, b"\0"), (15, b"\0"), (2, info(2, 1, 2, 0)))) == (2, 2)
    assert read_octets(message((2, info(3, 1, 3, 0)))) == (3, 3)


def test_one_that_has_forgotten_or_never_had_any() -> None:
    assert read_octets(message((2, info(0, 0, 0, 0)))) is None
    assert read_octets(message((8, b"\0"))) is None
    last = read_last(message())
    assert last is not None
    assert last.info is None


@given(st.binary(max_size=400), st.integers(0, 380), st.integers(0, 380))
def test_damaged_messages_are_read_or_left(noise: bytes, start: int, end: int) -> None:
    whole = message((8, b"\0"), (2, info(1, 1, 1, 0)))
    for told in (noise, whole[:start] + noise + whole[end:], whole[:start]):
        read_last(told)
        read_octets(told)


@pytest.mark.kernel
def test_the_kernel_tells_of_a_socket_that_it_destroys() -> None:
    destroyed = Destroyed()
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
            client.send(b"hello")
            assert server.recv(9) == b"hello"
            cookie = int.from_bytes(client.getsockopt(socket.SOL_SOCKET, 57, 8), "little")  # SO_COOKIE
            client.close()
            server.close()
        found: dict[int, bytes] = {}
        deadline = time.monotonic() + 60
        while cookie not in found:
            assert time.monotonic() < deadline
            destroyed.read(found)
            time.sleep(0.01)
        assert read_octets(found[cookie]) == (5, 1)  # the FIN counts
        assert destroyed.lost() >= 0
    finally:
        destroyed.close()
