"""RFC 7413 on the server's side: cookies, the connection a good one makes at once, and the limit of them."""

from __future__ import annotations

from errno import ECONNRESET, ETIMEDOUT

import pytest

from tests.host.exchange import CLIENT, FULL, SERVER, STRANGER, Peer, reasons, run, seconds, server
from tulpen.host.fast_listening import check_keys, cookie_for, parse_key
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.host.siphash import siphash
from tulpen.host.socket import Socket
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.state import CLOSED, ESTABLISHED, FIN_WAIT_1, SYN_RECEIVED
from tulpen.tcp.trace import FourTuple, Reason
from tulpen.wire.address import address
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN, Segment

KEY, OTHER_KEY = "00112233-44556677-8899aabb-ccddeeff", "1-2-3-4"


def serving(*, queue: int = 8, options: SocketOptions | None = None, **settings: object) -> tuple[Host, Listener]:
    there = server(**{"tcp_fastopen": 2, "tcp_fastopen_key": KEY, **settings})
    wanted = options if options is not None else SocketOptions(tcp_fastopen=queue)
    return there, there.listen(None, 80, 0, options=wanted)


def cookie(key: str = KEY, src: str = CLIENT) -> bytes:
    return cookie_for(parse_key(key), FourTuple(address(SERVER), 80, address(src), 1025))


def with_cookie(value: bytes | None, *, experimental: bool = False) -> Options:
    return Options(mss=1460, sack_permitted=True, fast_open=value, fast_open_experimental=experimental)


def open_fast(there: Host, now: int = 0, *, data: bytes = b"hello", sport: int = 1025) -> tuple[Peer, Segment]:
    peer = Peer(there, sport=sport)
    (answer,) = peer.say("S", now, data=data, options=with_cookie(cookie()))
    peer.seq += 1 + len(data)
    peer.ack = answer.seq + 1
    return peer, answer


def accepted(listener: Listener) -> Socket:
    socket = listener.accept()
    assert socket is not None
    return socket


def test_siphash_has_the_values_of_its_authors() -> None:
    key = bytes(range(16))
    assert siphash(key, b"") == 0x726FDB47DD0E0E31
    assert siphash(key, bytes(range(15))) == 0xA129CA6149BE45E5
    with pytest.raises(ValueError, match="16"):
        siphash(b"short", b"")


@pytest.mark.parametrize("experimental", [False, True])
def test_who_asks_gets_a_cookie_in_an_option_of_the_same_kind(experimental: bool) -> None:
    there, listener = serving()
    (answer,) = Peer(there).say("S", 0, options=with_cookie(b"", experimental=experimental))
    assert (answer.options.fast_open, answer.options.fast_open_experimental) == (cookie(), experimental)
    assert there.counters()["TCPFastOpenCookieReqd"] == 1
    assert listener.accept() is None


def test_a_good_cookie_makes_a_connection_at_once() -> None:
    there, listener = serving()
    peer, answer = open_fast(there)
    assert (answer.flags, answer.ack) == (SYN | ACK, 5006)
    assert answer.options.fast_open is None
    socket = accepted(listener)
    assert (socket.state, socket.talks_early) == (SYN_RECEIVED, True)
    assert socket.receive(100, 0) == b"hello"
    assert socket.status().syn_data
    assert socket.send(b"answer", 0) == 6
    assert [(seg.flags, bytes(seg.data)) for seg in peer.hear(0)] == [(ACK | PSH, b"answer")]
    peer.say(".", 1, ack=6)
    assert socket.state is ESTABLISHED
    assert socket.unacknowledged == 0
    assert there.counters()["TCPFastOpenPassive"] == 1


def test_a_cookie_without_text_is_enough_to_send_early() -> None:
    there, listener = serving()
    peer, answer = open_fast(there, data=b"")
    assert answer.ack == 5001
    socket = accepted(listener)
    assert not socket.status().syn_data
    socket.send(b"x" * 2920, 0)
    assert sum(len(seg.data) for seg in peer.hear(0)) == 2920


@pytest.mark.parametrize("wrong", [bytes(8), b"\1\2\3\4"])
def test_a_wrong_cookie_is_answered_with_a_right_one_and_the_text_left(wrong: bytes) -> None:
    there, listener = serving()
    (answer,) = Peer(there).say("S", 0, data=b"hello", options=with_cookie(wrong))
    assert (answer.ack, answer.options.fast_open) == (5001, cookie())
    assert there.counters()["TCPFastOpenPassiveFail"] == 1
    assert listener.accept() is None


@pytest.mark.parametrize("odd", [b"\1\2\3", b"\1\2", bytes(17), bytes(18)])
def test_what_can_be_no_cookie_is_no_option(odd: bytes) -> None:
    there, _ = serving()
    (answer,) = Peer(there).say("S", 0, data=b"hello", options=with_cookie(odd))
    assert (answer.ack, answer.options.fast_open) == (5001, None)


def test_text_without_a_cookie_is_left_unless_none_is_needed() -> None:
    there, _ = serving()
    (answer,) = Peer(there).say("S", 0, data=b"hello", options=with_cookie(None))
    assert (answer.ack, answer.options.fast_open) == (5001, None)
    for settings, options in (({"tcp_fastopen": 0x202}, SocketOptions(tcp_fastopen=1)),
                              ({}, SocketOptions(tcp_fastopen=1, tcp_fastopen_no_cookie=True))):  # fmt: skip
        there, listener = serving(options=options, **settings)
        (answer,) = Peer(there).say("S", 0, data=b"hello", options=with_cookie(None))
        assert answer.ack == 5006
        assert accepted(listener).receive(9, 0) == b"hello"


@pytest.mark.parametrize(
    ("bits", "queue", "opens"), [(2, 0, False), (0x402, 0, True), (0x400, 0, False), (1, 8, False), (2, 8, True)]
)
def test_who_takes_part(bits: int, queue: int, opens: bool) -> None:
    there, listener = serving(queue=queue, tcp_fastopen=bits)
    Peer(there).say("S", 0, data=b"hello", options=with_cookie(cookie()))
    assert (listener.accept() is not None) is opens


def test_the_second_key_is_still_good_and_the_first_is_given_out() -> None:
    there, listener = serving(tcp_fastopen_key=f"{OTHER_KEY},{KEY}")
    (answer,) = Peer(there).say("S", 0, data=b"hello", options=with_cookie(cookie()))
    assert (answer.ack, answer.options.fast_open) == (5006, cookie(OTHER_KEY))
    assert there.counters()["TCPFastOpenPassiveAltKey"] == 1
    assert accepted(listener).readable == 5


def test_a_listener_can_have_its_own_key() -> None:
    there, listener = serving(options=SocketOptions(tcp_fastopen=1, tcp_fastopen_key=parse_key(OTHER_KEY)))
    Peer(there).say("S", 0, data=b"hello", options=with_cookie(cookie(OTHER_KEY)))
    assert accepted(listener).readable == 5
    for wrong in (b"", b"short", bytes(48)):
        with pytest.raises(TcpError, match="EINVAL"):
            check_keys(wrong)
    with pytest.raises(ValueError, match="4 groups"):
        parse_key("1-2-3")


def test_another_host_has_another_cookie() -> None:
    assert cookie(src=STRANGER) != cookie()


def test_the_limit_of_handshakes_under_way() -> None:
    there, listener = serving(queue=1)
    first, _ = open_fast(there)
    _, answer = open_fast(there, sport=1026)
    assert answer.ack == 5001, "no room: as if it had no option"
    assert there.counters()["TCPFastOpenListenOverflow"] == 1
    first.say(".", 1)
    _, answer = open_fast(there, 2, sport=1027)
    assert answer.ack == 5006
    assert listener.fast_opens.under_way == 1


def test_a_reset_of_an_accepted_connection_counts_for_a_minute() -> None:
    there, listener = serving(queue=1)
    peer, _ = open_fast(there)
    socket = accepted(listener)
    peer.say("R.", 1)
    assert (socket.state, socket.error) == (CLOSED, ECONNRESET)
    assert socket.receive(9, 1) == b"hello"
    assert open_fast(there, seconds(59), sport=1026)[1].ack == 5001
    assert open_fast(there, seconds(61), sport=1027)[1].ack == 5006


def test_a_reset_before_accept_leaves_the_text_to_be_read() -> None:
    there, listener = serving(queue=1)
    peer, _ = open_fast(there)
    peer.say("R.", 1)
    socket = accepted(listener)
    assert (socket.state, socket.receive(9, 1)) == (CLOSED, b"hello")
    assert open_fast(there, 2, sport=1026)[1].ack == 5006


def test_the_syn_ack_is_sent_again_plain_and_once_more_than_usual() -> None:
    there, listener = serving(tcp_synack_retries=1, tcp_fastopen_key=f"{OTHER_KEY},{KEY}")
    peer, answer = open_fast(there)
    assert answer.options.fast_open == cookie(OTHER_KEY)
    socket = accepted(listener)
    again = [packet.payload for packet in run(seconds(60), 0, there)]
    assert [(seg.flags, seg.ack, seg.options.fast_open) for seg in again if isinstance(seg, Segment)] == [
        (SYN | ACK, 5006, None), (SYN | ACK, 5006, None),
    ]  # fmt: skip
    assert (socket.state, socket.error) == (CLOSED, ETIMEDOUT)
    assert listener.fast_opens.under_way == 0
    assert peer.hear(0) == []


def test_the_syn_again_draws_the_syn_ack_again() -> None:
    there, _ = serving()
    peer, _ = open_fast(there)
    (again,) = peer.say("S", 1, seq=-6, data=b"hello", options=with_cookie(cookie()))
    assert (again.flags, again.ack) == (SYN | ACK, 5006)


def test_another_syn_ends_nothing() -> None:
    there, listener = serving()
    peer, _ = open_fast(there)
    (answer,) = peer.say("S", 1)
    assert answer.flags & RST
    assert reasons(there)[-1] is Reason.SYN_BEFORE_ACK
    assert accepted(listener).state is SYN_RECEIVED


def test_closed_with_text_unread_it_is_reset() -> None:
    there, listener = serving()
    peer, _ = open_fast(there)
    accepted(listener).close(1)
    assert [seg.flags & RST for seg in peer.hear(1)] == [RST]


def test_closed_before_the_handshake_ends_its_fin_goes_at_once() -> None:
    there, listener = serving()
    peer, answer = open_fast(there)
    socket = accepted(listener)
    socket.receive(9, 0)
    socket.send(b"bye", 0)
    socket.close(0)
    assert [(seg.flags & FIN, seg.seq) for seg in peer.hear(0)] == [(FIN, answer.seq + 1)]
    assert socket.state is FIN_WAIT_1


def test_a_closed_listener_resets_those_not_accepted() -> None:
    there, listener = serving()
    peer, _ = open_fast(there)
    listener.close(1)
    assert [seg.flags & RST for seg in peer.hear(1)] == [RST]


def test_without_a_key_the_hosts_secret_makes_one() -> None:
    there, listener = serving(tcp_fastopen_key="")
    (answer,) = Peer(there).say("S", 0, options=with_cookie(b""))
    assert answer.options.fast_open not in (None, b"", cookie())
    Peer(there, sport=1026).say("S", 0, data=b"hello", options=with_cookie(answer.options.fast_open))
    assert accepted(listener).readable == 5


def test_there_is_room_for_it_beside_all_other_options() -> None:
    there, _ = serving()
    (answer,) = Peer(there).say("S", 0, options=FULL.with_fast_open(b"", experimental=False))
    assert (answer.options.fast_open, answer.options.tsecr) == (cookie(), FULL.tsval)
