"""Packets between hosts in memory, and a peer whose every segment the test writes itself."""

from __future__ import annotations

from collections.abc import Callable

from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.host.socket import Socket
from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.signals import Signal
from tulpen.tcp.trace import Dropped, Reason
from tulpen.wire.address import address
from tulpen.wire.ip import Packet
from tulpen.wire.options import NO_OPTIONS, Options
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN, Segment

SERVER, CLIENT, STRANGER = "10.0.0.1", "10.0.0.2", "10.0.0.3"
SERVER_6, CLIENT_6 = "fd00::1", "fd00::2"

FLAGS = {"S": SYN, "F": FIN, "R": RST, "P": PSH, ".": ACK, "-": 0}
FULL = Options(mss=1460, wscale=7, sack_permitted=True, tsval=1000)


def server(**settings: object) -> Host:
    """Return a host with a trace and both families."""
    return Host([SERVER, SERVER_6], settings=Settings(**settings), secret=b"server", trace=True)  # type: ignore[arg-type]


def client(**settings: object) -> Host:
    return Host([CLIENT, CLIENT_6], settings=Settings(**settings), secret=b"client", trace=True)  # type: ignore[arg-type]


def exchange(now: int, *hosts: Host, lost: Callable[[Packet], bool] = lambda packet: False) -> list[Packet]:
    """Carry packets between hosts until none has any; return all that were sent."""
    by_address = {each: host for host in hosts for each in host.addresses}
    sent: list[Packet] = []
    while packets := [packet for host in hosts for packet in host.packets_to_send(now)]:
        sent += packets
        assert len(sent) < 100_000, "they never stop"
        for packet in packets:
            if packet.dst in by_address and not lost(packet):
                by_address[packet.dst].packet_arrives(packet, now)
    return sent


def run(until: int, now: int, *hosts: Host, lost: Callable[[Packet], bool] = lambda packet: False) -> list[Packet]:
    """Exchange packets and let deadlines pass up to ``until``."""
    sent = exchange(now, *hosts, lost=lost)
    while (now := min((d for h in hosts if (d := h.next_deadline()) is not None), default=until)) < until:
        for host in hosts:
            host.timeout(now)
        sent += exchange(now, *hosts, lost=lost)
    return sent


def events(host: Host) -> list[tuple[Socket | Listener, Signal]]:
    """Return all that a host has to tell."""
    told = []
    while (event := host.next_event()) is not None:
        told.append(event)
    return told


def signals(host: Host, handle: Socket | Listener) -> list[Signal]:
    return [signal for told, signal in events(host) if told is handle]


def connected(now: int = 0, /, **settings: object) -> tuple[Host, Host, Socket, Socket]:
    """Return a client, a server, and a connection's two sockets."""
    here, there = client(**settings), server(**settings)
    listener = there.listen(None, 80, now)
    opened = here.connect(SERVER, 80, now)
    exchange(now, here, there)
    accepted = listener.accept()
    assert accepted is not None
    events(here)
    events(there)
    return here, there, opened, accepted


def reasons(host: Host) -> list[Reason]:
    """Return why segments were dropped, challenged or refused, in order."""
    assert host.stack.records is not None
    return [record.reason for _, record in host.stack.records if isinstance(record, Dropped)]


class Peer:
    """A remote socket that sends what it is told to, and tells what comes back."""

    def __init__(
        self, host: Host, *, src: str = CLIENT, dst: str = SERVER, sport: int = 1025, dport: int = 80, iss: int = 5000
    ) -> None:
        self.host = host
        self.src, self.dst = address(src), address(dst)
        self.sport, self.dport = sport, dport
        self.seq, self.ack = iss, 0
        self.options = NO_OPTIONS

    def say(
        self, letters: str, now: int, *, seq: int = 0, ack: int = 0, data: bytes = b"", options: Options | None = None,
        damaged: bool = False,
    ) -> list[Segment]:  # fmt: skip
        """Send one segment, numbers relative to where this side is; return the answers to it."""
        flags = 0
        for letter in letters:
            flags |= FLAGS[letter]
        carried = options if options is not None else self.options
        seg = Segment(
            (self.seq + seq) & 0xFFFFFFFF, (self.ack + ack) & 0xFFFFFFFF if flags & ACK else 0, flags, 65535, data,
            carried, sport=self.sport, dport=self.dport,
        )  # fmt: skip
        self.host.packet_arrives(Packet(self.src, self.dst, seg, damaged=damaged), now)
        return self.hear(now)

    def hear(self, now: int) -> list[Segment]:
        """Return what the host sends to this peer."""
        heard = []
        for packet in self.host.packets_to_send(now):
            seg = packet.payload
            if isinstance(seg, Segment) and (packet.dst, seg.dport) == (self.src, self.sport):
                heard.append(seg)
        return heard

    def syn(self, now: int, options: Options = FULL) -> Segment | None:
        """Send a SYN; return the SYN,ACK, and be ready to acknowledge it."""
        answers = self.say("S", now, options=options)
        if not answers:
            return None
        (answer,) = answers
        if answer.flags & SYN:
            self.seq += 1
            self.ack = answer.seq + 1
            if options.tsval is not None and answer.options.tsval is not None:
                self.options = Options(tsval=options.tsval, tsecr=answer.options.tsval)
        return answer

    def open(self, now: int, options: Options = FULL) -> None:
        """Complete a handshake."""
        answer = self.syn(now, options)
        assert answer is not None
        assert answer.flags == SYN | ACK
        self.say(".", now)


def seconds(number: float) -> int:
    return int(number * SECOND)
