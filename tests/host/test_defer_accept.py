"""TCP_DEFER_ACCEPT: a listener that waits for text."""

from __future__ import annotations

from tests.host.exchange import Peer, reasons, run, seconds, server
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.state import ESTABLISHED
from tulpen.tcp.trace import Reason
from tulpen.wire.segment import ACK, SYN


def listening(seconds_of_patience: int, **settings: object) -> tuple[Host, Listener, Peer]:
    """Return a listener, and a peer that has ended its handshake without text."""
    host = server(**settings)
    listener = host.listen(None, 80, 0, options=SocketOptions(tcp_defer_accept=seconds_of_patience))
    peer = Peer(host)
    peer.open(0)
    return host, listener, peer


def test_a_bare_ack_is_not_enough() -> None:
    host, listener, _ = listening(3)
    assert (listener.accept(), listener.syn_queue) == (None, 1)
    assert reasons(host) == [Reason.DEFERRED]
    assert host.stack.counters["TCPDeferAcceptDrop"] == 1


def test_text_is() -> None:
    _, listener, peer = listening(3)
    peer.say(".", 1, data=b"hello")
    socket = listener.accept()
    assert socket is not None
    assert (socket.state, socket.readable) == (ESTABLISHED, 5)


def test_so_is_a_fin() -> None:
    _, listener, peer = listening(3)
    peer.say("F.", 1)
    assert listener.accept() is not None


def test_after_the_time_the_next_ack_counts() -> None:
    host, listener, peer = listening(3)
    sent = run(seconds(4), 0, host)
    flags = [packet.payload.flags for packet in sent if hasattr(packet.payload, "flags")]
    assert flags == [SYN | ACK]  # once, at the end
    peer.say(".", seconds(4))
    assert listener.accept() is not None


def test_it_outlasts_the_retransmissions_of_a_handshake() -> None:
    host, listener, peer = listening(60, tcp_synack_retries=1)
    run(seconds(40), 0, host)
    assert listener.syn_queue == 1
    peer.say(".", seconds(40), data=b"late")
    assert listener.accept() is not None


def test_who_never_says_anything_is_forgotten() -> None:
    host, listener, _ = listening(3, tcp_synack_retries=1)
    run(seconds(100), 0, host)
    assert (listener.syn_queue, listener.accept()) == (0, None)
