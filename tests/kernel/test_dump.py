"""Dumps of the real kernel."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from errno import ENOENT, EPERM

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.messages import message, record, records
from tests.link.rights import needs_network
from tulpen.errors import TulpenError
from tulpen.kernel.attributes import Kind
from tulpen.kernel.dump import LISTENERS, Dump
from tulpen.kernel.sock_diag import KernelSocket, SockDiag
from tulpen.link.namespace import PrivateNetwork
from tulpen.tcp.state import State

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]


@pytest.fixture(scope="module")
def network() -> Iterator[PrivateNetwork]:
    with PrivateNetwork() as network:
        yield network


@pytest.fixture(scope="module")
def crowd(network: PrivateNetwork) -> Iterator[list[socket.socket]]:
    """A listener of both families, 300 connections, 20 of them closed by their client."""
    held = []
    listener = network.open_socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", 80))
    listener.listen(400)
    held.append(listener)
    for i in range(300):
        family, host = (socket.AF_INET, "192.0.2.1") if i % 2 else (socket.AF_INET6, "2001:db8::1")
        client = network.open_socket(family, socket.SOCK_STREAM)
        client.connect((host, 80))
        served, _ = listener.accept()
        held.append(served)
        if i < 20:
            client.close()
        else:
            held.append(client)
    yield held
    for each in held:
        each.close()


@pytest.fixture
def dump(network: PrivateNetwork) -> Iterator[Dump]:
    dump = Dump(network.sock_diag())
    yield dump
    dump.close()


def test_it_is_what_the_single_reader_says(network: PrivateNetwork, crowd: list[socket.socket], dump: Dump) -> None:
    diag = SockDiag(network.sock_diag())
    expected = sorted(map(_name, diag.sockets(info=False)))
    diag.close()
    table = dump.take()
    assert sorted(map(_name, table.sockets())) == expected
    assert table.by_state() == {
        State.LISTEN: 1, State.ESTABLISHED: 560, State.FIN_WAIT_2: 20, State.CLOSE_WAIT: 20,
    }  # fmt: skip
    assert (table.torn, table.interrupted) == (0, False)


def _name(each: KernelSocket) -> tuple[object, ...]:
    return (each.name, each.state, each.family, each.inode, each.cookie)


def test_each_family_by_itself(crowd: list[socket.socket], dump: Dump) -> None:
    both = dump.take(1 << 1)
    four = dump.take(1 << 1, family=socket.AF_INET)
    six = dump.take(1 << 1, family=socket.AF_INET6)
    assert set(four.families()) == {socket.AF_INET}
    assert set(six.families()) == {socket.AF_INET6}
    assert sorted(four.cookies() + six.cookies()) == sorted(both.cookies())


def test_the_states_that_were_asked_for(crowd: list[socket.socket], dump: Dump) -> None:
    assert dump.take(1 << 8).by_state() == {State.CLOSE_WAIT: 20}
    assert dump.take(1 << 7).by_state() == {}


def test_attributes_that_were_asked_for(crowd: list[socket.socket], dump: Dump) -> None:
    (listener,) = dump.take(LISTENERS, Kind.MEMORY.bit | Kind.CONGESTION.bit).sockets()
    assert listener.memory is not None
    assert listener.memory.receive_limit > 0
    assert listener.congestion
    assert listener.both_families
    for each in dump.take(1 << 1, Kind.INFO.bit).sockets():
        assert each.info is not None
        assert each.info.snd_mss > 0
        assert each.info_octets >= 104


def test_a_kernel_that_knows_the_newer_request_alone(crowd: list[socket.socket], network: PrivateNetwork) -> None:
    """A seccomp filter or another kernel may refuse the old one; then each family is asked for by itself."""
    dump = Dump(network.sock_diag())
    expected = sorted(dump.take().cookies())
    dump._by_family = True
    assert sorted(dump.take().cookies()) == expected
    dump.close()


def _kernel(answers: list[list[bytes]]) -> Dump:
    """Return a dump whose other end answers each request with datagrams; SEQ stands for its sequence number."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def answer() -> None:
        with theirs, contextlib.suppress(OSError):  # who asked may have heard enough, and gone
            for datagrams in answers:
                request = theirs.recv(4096)
                for each in datagrams:
                    theirs.send(each.replace(b"SEQ!", request[8:12]))

    threading.Thread(target=answer, daemon=True).start()
    return Dump(ours)


def _message(kind: int, body: bytes, length: int = -1) -> bytes:
    return message(body, kind=kind, sequence=int.from_bytes(b"SEQ!", sys.byteorder), length=length)


DONE = _message(3, bytes(4))


@pytest.mark.parametrize("datagrams", [[_message(20, record()) * 3 + DONE], [_message(20, record()) * 3, DONE]])
def test_the_end_stands_alone_or_after_the_last_socket(datagrams: list[bytes]) -> None:
    dump = _kernel([datagrams])
    assert dump.take().by_state() == {State.ESTABLISHED: 3}
    dump.close()


def test_a_kernel_without_the_old_request() -> None:
    dump = _kernel([[_message(2, struct.pack("=i", -ENOENT))], [_message(20, record()), DONE], [DONE]])
    assert len(dump.take()) == 1
    dump.close()


def test_a_kernel_without_tcp_diag() -> None:
    refused = [_message(2, struct.pack("=i", -ENOENT))]
    dump = _kernel([refused, refused])
    with pytest.raises(TulpenError, match="tcp_diag"):
        dump.take()
    dump.close()


def test_a_dump_that_fails_at_its_end() -> None:
    dump = _kernel([[_message(20, record()), _message(3, struct.pack("=i", -EPERM))]])
    with pytest.raises(PermissionError):
        dump.take()
    dump.close()


@settings(max_examples=100)
@given(
    st.lists(st.one_of(st.binary(min_size=1, max_size=200), records.map(lambda each: _message(20, each))), max_size=5)
)
def test_whatever_comes_it_ends(datagrams: list[bytes]) -> None:
    dump = _kernel([[*datagrams, DONE]])
    with contextlib.suppress(OSError):
        assert len(dump.take()) <= len(datagrams)
    dump.close()
