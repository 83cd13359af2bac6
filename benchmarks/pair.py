"""Two ends joined in memory, without a clock of their own: packets are handed over as values."""

from __future__ import annotations

from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.host.socket import Socket
from tulpen.tcp.config import Settings, SocketOptions

CLIENT = "10.0.0.1"
SERVER = "10.0.0.2"
PORT = 80
MS = 1_000_000


class Pair:
    """Two hosts and the time between them."""

    def __init__(self, settings: Settings | None = None, *, backlog: int = 4096) -> None:
        self.client = Host([CLIENT], settings=settings, secret=b"client")
        self.server = Host([SERVER], settings=settings, secret=b"server")
        self.now = 1_000_000_000
        self.carried = 0  # packets
        self.listener: Listener = self.server.listen(None, PORT, self.now, backlog=backlog)

    def exchange(self) -> None:
        """Carry packets until neither end has any; what the applications are told is thrown away."""
        one, other = self.client, self.server
        quiet = 0
        while quiet < 2:
            packets = one.packets_to_send(self.now)
            quiet = 0 if packets else quiet + 1
            self.carried += len(packets)
            for packet in packets:
                other.packet_arrives(packet, self.now)
            while other.next_event() is not None:
                pass
            one, other = other, one
            self.now += 1000

    def wait(self, nanoseconds: int) -> None:
        """Let time pass, and do what is due."""
        self.now += nanoseconds
        for host in (self.client, self.server):
            host.timeout(self.now)
        self.exchange()

    def connect(self, options: SocketOptions | None = None) -> tuple[Socket, Socket]:
        """Open one connection."""
        sock = self.client.connect(SERVER, PORT, self.now, options=options)
        self.exchange()
        accepted = self.listener.accept()
        assert accepted is not None
        return sock, accepted
