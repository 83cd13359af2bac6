"""A host: many connections under one set of addresses, without a clock or a network of its own.

Entrances: packets, the user's opens, deadlines.  Exits, to be pulled after each of them:
packets to send, events for the application, the next deadline.  ``now`` is an argument,
in nanoseconds, and never goes back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import final

from tulpen.host import arrivals, clock, departures, opening, settling, status
from tulpen.host.coalescing import supersedes
from tulpen.host.core import Core
from tulpen.host.listener import Listener
from tulpen.host.metrics import Metrics
from tulpen.host.ports import Claim
from tulpen.host.socket import Socket
from tulpen.host.status import Row
from tulpen.host.time_wait import TimeWaitTable
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.route import Route
from tulpen.tcp.signals import Signal
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSE_WAIT, ESTABLISHED
from tulpen.tcp.trace import Reason
from tulpen.wire import address as addresses_of
from tulpen.wire.icmp import ICMP6
from tulpen.wire.ip import Offload, Packet, parse_packet
from tulpen.wire.malformed import BadChecksum, Fragment, Kind, Malformed
from tulpen.wire.tcp_codec import TCP


@final
class Host:
    """One TCP with its addresses."""

    __slots__ = ("core",)

    def __init__(
        self,
        addresses: Sequence[str | bytes],
        *,
        settings: Settings | None = None,
        secret: bytes = b"",
        mtu: int = 1500,
        gso_max: int = 0,
        trace: bool = False,
    ) -> None:
        """Make a host with these addresses.

        ``secret`` should be 16 octets or more that nobody can guess; a test may leave it out.
        ``gso_max``: octets that the link's device takes at a time and cuts into segments, 0 if it
        cuts none.  ``trace``: keep every record (see ``tulpen.tcp.trace``) in ``stack.records``.
        """
        stack = Stack(settings, deque() if trace else None)
        self.core = Core([addresses_of.address(each) for each in addresses], stack, secret, mtu, gso_max)

    # what it is

    @property
    def stack(self) -> Stack:
        """Settings, counters and trace."""
        return self.core.stack

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """The local addresses."""
        return self.core.addresses

    @property
    def mtu(self) -> int:
        """The largest packet of the link."""
        return self.core.mtu

    @property
    def time_wait(self) -> TimeWaitTable:
        """The TIME-WAIT table."""
        return self.core.time_wait

    @property
    def metrics(self) -> Metrics:
        """What earlier connections have taught about other hosts."""
        return self.core.metrics

    # entrances: the network and the clock

    def packet_arrives(self, packet: Packet, now: int) -> None:
        """Take a packet."""
        arrivals.packet_arrives(self.core, packet, now)

    def bytes_arrive(self, buffer: bytes | bytearray | memoryview, now: int, offload: Offload | None = None) -> None:
        """Take the octets of a packet; what is none is counted and dropped."""
        try:
            packet = parse_packet(buffer, offload=offload)
        except Malformed as error:
            self._unreadable(error, buffer, now)
            return
        arrivals.packet_arrives(self.core, packet, now)

    def batch_arrives(self, batch: Sequence[tuple[bytes | memoryview, Offload | None]], now: int) -> None:
        """Take packets that came together, in order, but no ACK that the next supersedes (TCPBacklogCoalesce).

        A host that keeps a trace takes those too, so that a ladder has every arrow.
        """
        last = len(batch) - 1
        merges = self.core.stack.records is None
        for place, (buffer, offload) in enumerate(batch):
            if merges and place < last and supersedes(batch[place + 1][0], buffer):
                self.core.stack.count("InReceives")
                self.core.stack.count("InSegs")
                self.core.stack.count("TCPBacklogCoalesce")
            else:
                self.bytes_arrive(buffer, now, offload)

    def timeout(self, now: int) -> None:
        """Do what is due; a call too early does nothing."""
        clock.timeout(self.core, now)

    def rest(self, now: int) -> int:
        """Keep some of the connections that have been quiet for a second as octets; return how many came to rest.

        They wake when anybody wants them.  Who drives the host calls this now and then.
        """
        return settling.rest(self.core, now)

    # entrances: the user, and who looks after the host

    def set_route(self, network: str | bytes, length: int, route: Route | None) -> None:
        """Say what holds on the way to the addresses that begin as ``length`` bits of ``network``; None: nothing more.

        Connections hear of its MTU when they next send, of the rest when they are opened.
        """
        self.core.paths.put_route(addresses_of.address(network), length, route)

    def bind(self, address: str | bytes | None, port: int, now: int, options: SocketOptions) -> Claim:
        """Hold a local port for a socket, as bind(2) does, until ``unbind``; EADDRINUSE if another rules that out.

        The addresses and ports are those of ``listen``, SO_REUSEADDR and SO_REUSEPORT those of ``options``.
        """
        where = None if address is None else addresses_of.address(address)
        return opening.bind(self.core, where, port, now, options)

    def unbind(self, claim: Claim) -> None:
        """Let go of a port that ``bind`` holds."""
        self.core.ports.release(claim)

    def rebind(self, claim: Claim) -> None:
        """Hold again a port that ``unbind`` let go just now, whoever else has it."""
        self.core.ports.take(claim)

    def listen(
        self,
        address: str | bytes | None,
        port: int,
        now: int,
        *,
        backlog: int = 128,
        options: SocketOptions | None = None,
    ) -> Listener:
        """OPEN, passive (RFC 9293 §3.10.1): accept connections to ``port`` of one address, or of all.

        0.0.0.0 and :: stand for all addresses of their family, None for both; port 0 for any free one.
        """
        where = None if address is None else addresses_of.address(address)
        return opening.listen(self.core, where, port, now, backlog, options)

    def connect(
        self,
        remote: str | bytes,
        port: int,
        now: int,
        *,
        local: str | bytes | None = None,
        local_port: int = 0,
        options: SocketOptions | None = None,
        data: bytes | None = None,
    ) -> Socket:
        """OPEN, active (§3.10.1): CONNECTED or CLOSED is signalled when it is known how it went.

        ``data``: by TCP Fast Open (RFC 7413).  The SYN takes along what it may of it, which
        ``unacknowledged`` of the socket tells: nothing, where there is no cookie yet.  The rest is
        for ``send``.  Empty: a cookie is asked for.  EOPNOTSUPP without bit 1 of tcp_fastopen.
        """
        source = None if local is None else addresses_of.address(local)
        return opening.connect(self.core, addresses_of.address(remote), port, now, source, local_port, options, data)

    def takes_text(
        self, remote: str | bytes, now: int, *, local: str | bytes | None = None, options: SocketOptions | None = None
    ) -> bool:
        """Say whether the SYN to ``remote`` would take text along (RFC 7413 §4.2.1)."""
        source = None if local is None else addresses_of.address(local)
        return opening.takes_text(self.core, addresses_of.address(remote), now, source, options)

    # exits

    def choke(self, *, on: bool) -> None:
        """The device takes nothing from now on, and what would go out is lost; or (False) it takes packets again."""
        self.core.stack.choked = on

    def packets_to_send(self, now: int) -> list[Packet]:
        """Return everything that may go out now."""
        return departures.packets_to_send(self.core, now)

    def next_event(self) -> tuple[Socket | Listener, Signal] | None:
        """Return what the application is to be told next; None when all is told."""
        stirred = self.core.stirred
        while stirred:
            handle = stirred[0]
            signal = handle.next_signal()
            if signal is not None:
                return handle, signal
            stirred.popleft()
            handle.stirred = False
        return None

    def next_deadline(self) -> int | None:
        """Return when ``timeout`` wants to be called; None for never."""
        return clock.next_deadline(self.core)

    # what can be asked

    def sockets(self) -> Iterator[Socket]:
        """Yield the connections, closed by their application or not; TIME-WAIT has its own table."""
        return iter(self.core.connections.values())

    def listeners(self) -> Iterator[Listener]:
        """Yield the listeners."""
        return iter(self.core.listeners)

    def path_mtu(self, remote: str | bytes, now: int) -> int:
        """Return the octets of the largest packet for an address, as far as link, routes and routers tell."""
        return self.core.paths.mtu(addresses_of.address(remote), now)

    def status(self) -> list[Row]:
        """Return a row for every socket, as ``ss -tan`` shows them."""
        return list(status.rows(self.core))

    def counters(self) -> dict[str, int]:
        """Return the MIB: what was counted, and CurrEstab, which is a state of things."""
        states = [socket.state for socket in self.core.connections.values()]
        return {
            **self.stack.counters,
            "CurrEstab": sum(state is ESTABLISHED or state is CLOSE_WAIT for state in states),
        }

    def _unreadable(self, error: Malformed, buffer: bytes | bytearray | memoryview, now: int) -> None:
        """Count what ``parse_packet`` could not read by the layer whose header is at fault."""
        stack = self.stack
        stack.count("InReceives")
        if isinstance(error, Fragment):
            self.core.drop(None, None, Reason.FRAGMENT, now)
        elif isinstance(error, BadChecksum) and not _is_tcp(buffer):
            stack.count("IcmpInMsgs")
            stack.count("IcmpInErrors")
        elif isinstance(error, BadChecksum):
            stack.count("InSegs")
            stack.count("InErrs")
            self.core.drop(None, None, Reason.BAD_CHECKSUM, now)
        elif error.kind is Kind.DATA_OFFSET:
            stack.count("InSegs")
            self.core.drop(None, None, Reason.MALFORMED, now)
        else:
            stack.count("InHdrErrors")


def _is_tcp(buffer: bytes | bytearray | memoryview) -> bool:
    """Say whether a packet that was read as far as its payload's checksum carries TCP."""
    return buffer[9] == TCP if buffer[0] >> 4 == 4 else buffer[6] != ICMP6
