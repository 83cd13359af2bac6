"""A host with its program: packets go in and come out, the program is told of every event between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tulpen.wire.ip import build_packet

if TYPE_CHECKING:
    from tulpen.host.host import Host
    from tulpen.sim.application import Application
    from tulpen.wire.ip import Packet


class Endpoint(Protocol):
    """What a driver needs of whoever sends and receives packets; a ``Host`` alone is one."""

    def packet_arrives(self, packet: Packet, now: int) -> None:
        """Take a packet."""

    def timeout(self, now: int) -> None:
        """Do what is due."""

    def packets_to_send(self, now: int) -> list[Packet]:
        """Give the packets that are to go out."""

    def next_deadline(self) -> int | None:
        """Say when ``timeout`` is to be called."""


class Station:
    """A host and the application on it, as one endpoint.

    The same for virtual time and for a link: give it packets and deadlines, pull
    packets from it after each.  With ``encoded`` the host gets the octets of every packet,
    to be read and verified as from a wire.
    """

    __slots__ = ("_encoded", "_started", "application", "host")

    def __init__(self, host: Host, application: Application, *, encoded: bool = False) -> None:
        self.host = host
        self.application = application
        self._encoded = encoded
        self._started = False

    def packet_arrives(self, packet: Packet, now: int) -> None:
        """Take a packet."""
        if self._encoded:
            self.host.bytes_arrive(build_packet(packet), now)
        else:
            self.host.packet_arrives(packet, now)

    def timeout(self, now: int) -> None:
        """Start the application when first called; then run what is due, the host's first."""
        if not self._started:
            self._started = True
            self.application.start(self.host, now)
        self.host.timeout(now)
        due = self.application.deadline()
        if due is not None and due <= now:
            self.application.timeout(now)

    def packets_to_send(self, now: int) -> list[Packet]:
        """Tell the application what happened and give the packets that are to go out."""
        packets: list[Packet] = []
        while True:
            while (event := self.host.next_event()) is not None:
                handle, signal = event
                self.application.on(handle, signal, self.host, now)
            more = self.host.packets_to_send(now)
            if not more:
                return packets
            packets = packets + more if packets else more

    def next_deadline(self) -> int | None:
        """Return the earlier of the host's deadline and the application's; 0 before the start."""
        if not self._started:
            return 0
        host, application = self.host.next_deadline(), self.application.deadline()
        if host is None or application is None:
            return application if host is None else host
        return min(host, application)
