"""RFC 7413 on the client's side: a cookie asked for and kept, text beside the SYN, and what is left of it."""

from __future__ import annotations

from errno import EOPNOTSUPP

import pytest

from tests.host.exchange import CLIENT, SERVER, client, exchange, run, seconds, server
from tulpen.host.host import Host
from tulpen.host.socket import Socket
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED, SYN_SENT
from tulpen.wire.address import address
from tulpen.wire.icmp import Icmp, IcmpKind, Quoted
from tulpen.wire.ip import Packet
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, RST, SYN, Segment

COOKIE = b"\1\2\3\4\5\6\7\x08"
TEXT = bytes(500)


class Server:
    """The peer of one connection, which the test lets answer."""

    def __init__(self, host: Host, socket: Socket) -> None:
        self.host, self.socket = host, socket

    def hears(self, now: int) -> list[Segment]:
        return [packet.payload for packet in self.host.packets_to_send(now) if isinstance(packet.payload, Segment)]

    def says(
        self, flags: int, now: int, *, seq: int = 900, ack: int = 0, options: Options | None = None, data: bytes = b""
    ) -> list[Segment]:
        """``ack`` counts from our ISS."""
        name = self.socket.name
        seg = Segment(
            seq, self.socket.connection.tcb.snd.iss + ack if flags & ACK else 0, flags, 65535, data,
            options if options is not None else Options(), sport=name.remote_port, dport=name.local_port,
        )  # fmt: skip
        self.host.packet_arrives(Packet(name.remote, name.local, seg), now)
        return self.hears(now)


def opened(host: Host, now: int = 0, data: bytes = TEXT, **options: object) -> tuple[Server, Segment]:
    """Open by fast open; return the peer, and our SYN."""
    socket = host.connect(SERVER, 80, now, data=data, options=SocketOptions(**options))  # type: ignore[arg-type]
    peer = Server(host, socket)
    (syn,) = peer.hears(now)
    return peer, syn


def taught(host: Host, cookie: bytes | None = COOKIE, *, mss: int = 1460, experimental: bool = False) -> None:
    """Let a first connection bring a cookie."""
    peer, syn = opened(host, data=b"")
    assert syn.options.fast_open == b""
    peer.says(SYN | ACK, 0, ack=1, options=Options(mss=mss, fast_open=cookie, fast_open_experimental=experimental))
    peer.socket.abort(0)
    peer.hears(0)


def plain(**settings: object) -> Host:
    return client(**{"tcp_timestamps": 0, **settings})


def test_the_first_time_a_cookie_is_asked_for_and_the_text_waits() -> None:
    here = plain()
    peer, syn = opened(here)
    assert (syn.flags, bytes(syn.data), syn.options.fast_open) == (SYN, b"", b"")
    assert peer.socket.unacknowledged == 0
    assert not here.takes_text(SERVER, 0)


def test_the_next_time_the_text_goes_with_the_syn() -> None:
    here = plain()
    taught(here)
    assert here.takes_text(SERVER, 0)
    peer, syn = opened(here)
    assert (syn.options.fast_open, len(syn.data), peer.socket.unacknowledged) == (COOKIE, 500, 500)
    (ack,) = peer.says(SYN | ACK, 1, ack=501)
    assert ack.flags == ACK
    assert peer.socket.state is ESTABLISHED
    assert peer.socket.status().syn_data
    assert here.counters()["TCPFastOpenActive"] == 1


@pytest.mark.parametrize(("told", "taken"), [(1460, 1420), (940, 900), (9000, 1420)])
def test_the_text_leaves_room_for_options_below_the_mss_that_is_known(told: int, taken: int) -> None:
    here = plain()
    taught(here, mss=told)
    peer, syn = opened(here, data=bytes(5000))
    assert len(syn.data) == peer.socket.unacknowledged == taken


def test_tcp_maxseg_bounds_it_too() -> None:
    here = plain()
    taught(here)
    _, syn = opened(here, data=bytes(5000), tcp_maxseg=1040)
    assert (len(syn.data), syn.options.mss) == (1000, 1040)


@pytest.mark.parametrize("acked", [0, 100, 499])
def test_what_is_not_acknowledged_goes_again_at_once(acked: int) -> None:
    here = plain()
    taught(here)
    peer, _ = opened(here)
    again = peer.says(SYN | ACK, 1, ack=1 + acked)
    assert sum(len(seg.data) for seg in again) == 500 - acked
    assert (again[0].seq - peer.socket.connection.tcb.snd.iss) == 1 + acked
    assert not peer.socket.status().syn_data
    assert here.counters()["TCPFastOpenActiveFail"] == 1
    assert peer.socket.status().snd_cwnd >= 10 * 536, "nothing was congested"


def test_an_ack_of_more_than_was_sent_is_refused() -> None:
    here = plain()
    taught(here)
    peer, _ = opened(here)
    (answer,) = peer.says(SYN | ACK, 1, ack=502)
    assert answer.flags & RST
    assert peer.socket.state is SYN_SENT


def test_sent_again_the_syn_is_a_plain_one() -> None:
    here = plain()
    taught(here)
    opened(here)
    again = [packet.payload for packet in run(seconds(2), 0, here)]
    assert [(seg.flags, bytes(seg.data), seg.options.fast_open) for seg in again if isinstance(seg, Segment)] == [
        (SYN, b"", None)
    ]


@pytest.mark.parametrize("cookie", [b"\1", b"\1\2\3", bytes(17), bytes(18)])
def test_what_can_be_no_cookie_is_not_kept(cookie: bytes) -> None:
    here = plain()
    taught(here)
    peer, _ = opened(here)
    peer.says(SYN | ACK, 1, ack=501, options=Options(mss=1460, fast_open=cookie))
    assert opened(here, 2)[1].options.fast_open == COOKIE


def test_a_new_cookie_takes_the_place_of_the_old() -> None:
    here = plain()
    taught(here)
    peer, _ = opened(here)
    peer.says(SYN | ACK, 1, ack=1, options=Options(mss=1460, fast_open=bytes(4)))
    assert opened(here, 2)[1].options.fast_open == bytes(4)


def test_no_answer_to_a_request_the_experimental_option_is_tried_once() -> None:
    here = plain()
    kinds = []
    for now in range(4):
        peer, syn = opened(here, now, data=b"")
        kinds.append(syn.options.fast_open_experimental)
        peer.says(SYN | ACK, now, ack=1, options=Options(mss=1460))
    assert kinds == [False, True, False, False]
    here.metrics.flush()
    assert opened(here, 5)[1].options.fast_open == b""


def test_a_cookie_goes_back_in_the_kind_of_option_that_brought_it() -> None:
    here = plain()
    taught(here, experimental=True)
    _, syn = opened(here)
    assert (syn.options.fast_open, syn.options.fast_open_experimental) == (COOKIE, True)


def test_negative_answers_can_be_kept() -> None:
    here = plain(tcp_fastopen_negative=True)
    taught(here)
    peer, _ = opened(here)
    peer.says(SYN | ACK, 1, ack=1)
    _, syn = opened(here, 2)
    assert (syn.options.fast_open, len(syn.data)) == (None, 0)


def test_no_cookie_is_needed_where_the_host_or_the_socket_says_so() -> None:
    for here, options in ((plain(tcp_fastopen=5), {}), (plain(), {"tcp_fastopen_no_cookie": True})):
        _, syn = opened(here, **options)  # type: ignore[arg-type]
        assert (syn.options.fast_open, len(syn.data)) == (None, 500)


def test_it_can_be_turned_off() -> None:
    with pytest.raises(TcpError) as refused:
        plain(tcp_fastopen=0).connect(SERVER, 80, 0, data=TEXT)
    assert refused.value.errno == EOPNOTSUPP


def test_a_syn_ack_may_bring_text_and_the_fin() -> None:
    here = plain()
    taught(here)
    peer, _ = opened(here)
    peer.says(SYN | ACK | FIN, 1, ack=501, data=b"all of it")
    assert peer.socket.receive(99, 1) == b"all of it"
    assert peer.socket.eof


def test_simultaneous_open_does_without_their_text() -> None:
    here = plain()
    taught(here)
    peer, _ = opened(here)
    (answer,) = peer.says(SYN, 1, data=b"crossing", options=Options(mss=1460, fast_open=COOKIE))
    assert (answer.flags, answer.ack) == (SYN | ACK, 901)
    assert peer.socket.state is SYN_RECEIVED
    peer.says(SYN | ACK, 2, ack=501)
    assert peer.socket.state is ESTABLISHED


def test_too_large_for_the_path_the_syn_goes_again_without_text() -> None:
    here = plain()
    taught(here)
    peer, syn = opened(here, data=bytes(1400))
    about = Quoted(address(CLIENT), address(SERVER), syn.sport, syn.dport, syn.seq)
    error = Icmp(IcmpKind.PACKET_TOO_BIG, 3, 4, mtu=800, embedded=about)
    here.packet_arrives(Packet(address("10.0.0.9"), address(CLIENT), error, protocol=1), 1)
    (again,) = peer.hears(1)
    assert (again.flags, len(again.data), again.options.mss) == (SYN, 0, 760)


def test_both_ends_are_this_one() -> None:
    here, there = client(), server(tcp_fastopen=0x402)
    listener = there.listen(None, 80, 0)
    first = here.connect(SERVER, 80, 0, data=b"")
    exchange(0, here, there)
    assert first.state is ESTABLISHED
    assert listener.accept() is not None
    second = here.connect(SERVER, 80, 1, data=b"hello")
    (syn,) = here.packets_to_send(1)
    there.packet_arrives(syn, 1)
    child = listener.accept()
    assert child is not None
    assert child.receive(9, 1) == b"hello"
    child.send(b"world", 1)
    exchange(1, here, there)
    assert second.receive(9, 1) == b"world"
    assert second.unacknowledged == 0


def test_timeouts_in_a_row_pause_it_and_each_pause_is_longer() -> None:
    here = plain(tcp_fastopen_blackhole_timeout_sec=10, tcp_syn_retries=1)
    taught(here)
    peer, _ = opened(here)
    run(seconds(10), 0, here)
    assert peer.socket.state is CLOSED
    assert here.counters()["TCPFastOpenBlackhole"] == 1
    _, syn = opened(here, seconds(12))
    assert (syn.options.fast_open, len(syn.data)) == (None, 0)
    later = seconds(20)
    peer, syn = opened(here, later)
    assert len(syn.data) == 500
    peer.says(SYN | ACK, later, ack=501)
    peer.says(RST, later, seq=905)
    assert here.counters()["TCPFastOpenBlackhole"] == 2
    assert not here.takes_text(SERVER, later + seconds(19))
    assert here.takes_text(SERVER, later + seconds(21))


def test_text_after_a_pause_makes_the_next_one_short_again() -> None:
    here = plain(tcp_fastopen_blackhole_timeout_sec=10)
    taught(here)
    here.stack.pause_fast_open(0)
    here.stack.pause_fast_open(0)
    later = seconds(60)
    peer, _ = opened(here, later)
    peer.says(SYN | ACK, later, ack=501)
    peer.says(ACK, later, seq=901, ack=501, data=b"it works")
    peer.socket.abort(later)
    assert not here.stack.fast_open_on_trial


def test_a_fin_ahead_of_its_turn_and_no_text_is_a_sign() -> None:
    here = plain(tcp_fastopen_blackhole_timeout_sec=10)
    taught(here)
    peer, _ = opened(here)
    peer.says(SYN | ACK, 1, ack=501)
    peer.says(FIN | ACK, 1, seq=1000, ack=501)
    peer.socket.abort(1)
    assert here.counters()["TCPFastOpenBlackhole"] == 1


def test_the_default_is_linuxs() -> None:
    assert Settings().tcp_fastopen == 1
    assert Settings().tcp_fastopen_blackhole_timeout_sec == 0
