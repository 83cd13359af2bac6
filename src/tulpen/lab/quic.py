"""QUIC endpoints for a ground: aioquic, which does no input or output of its own, over its network (RFC 9000)."""

from __future__ import annotations

import datetime as dt
import ssl
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, final

from tulpen.errors import TulpenError
from tulpen.wire.ip import Packet

if TYPE_CHECKING:
    from tulpen.lab.ground import Ground

UDP: Final = 17
PORT: Final = 443
SECOND: Final = 1e9
_HEADER: Final = Struct("!HHHH")  # RFC 768; the checksum is left out, as IPv4 allows
_CID: Final = 8  # octets of a connection id
_PROTOCOL: Final = "tulpen-lab"


@final
class QuicEndpoint:
    """A machine with QUIC alone: one client, or a server for all that come."""

    def __init__(self, ground: Ground, name: str, addresses: tuple[bytes, ...], **world: Any) -> None:
        self.address = addresses[0]  # what it sends from; a client may move to another
        self.received = 0  # octets of all streams
        self.answers = b""  # what a server says to whoever has said all
        self.tickets: list[Any] = []
        self.terminated = False
        self.early = False  # the last client's first flight took text along
        self._ground = ground
        self._connections: list[Any] = []
        self._by_id: dict[bytes, Any] = {}
        self._server: Any = None
        self._store: dict[bytes, Any] = {}
        ground.world.add(name, self, *addresses, **world)

    @property
    def connections(self) -> int:
        """Connections that something is still remembered of."""
        return len(self._connections)

    def serve(self) -> None:
        """Take connections, with a certificate made for the occasion."""
        self._server = _configuration(client=False)
        certificate, key = _certificate()
        self._server.certificate, self._server.private_key = certificate, key

    def connect(self, server: bytes, text: bytes, *, ticket: Any = None) -> Any:
        """Connect and say ``text`` on a first stream: in the first flight where a ticket allows that (0-RTT)."""
        from aioquic.quic.connection import QuicConnection

        configuration = _configuration(client=True)
        configuration.session_ticket = ticket
        connection = QuicConnection(configuration=configuration, session_ticket_handler=self.tickets.append)
        connection.connect((_dotted(server), PORT), self._now())
        self._connections.append(connection)
        connection.send_stream_data(connection.get_next_available_stream_id(), text, end_stream=True)
        self._ground.world.poke()
        return connection

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()
        self._ground.world.poke()

    # an endpoint of the world

    def packet_arrives(self, packet: Packet, now: int) -> None:
        """Take a datagram."""
        if packet.protocol != UDP or not isinstance(packet.payload, (bytes, memoryview)):
            return
        octets = bytes(packet.payload)
        sport, _, length, _ = _HEADER.unpack_from(octets)
        connection = self._find(octets[_HEADER.size : length])
        if connection is not None:
            connection.receive_datagram(octets[_HEADER.size : length], (_dotted(packet.src), sport), self._now())
            self._events(connection)

    def timeout(self, now: int) -> None:
        """Do what is due."""
        for connection in list(self._connections):
            due = connection.get_timer()
            if due is not None and due <= self._now():
                connection.handle_timer(self._now())
                self._events(connection)

    def packets_to_send(self, now: int) -> list[Packet]:
        """Return the datagrams that are to go out."""
        packets = []
        for connection in self._connections:
            for data, (host, port) in connection.datagrams_to_send(self._now()):
                header = _HEADER.pack(PORT, port, _HEADER.size + len(data), 0)
                octets = bytes(map(int, host.split(".")))
                packets.append(Packet(self.address, octets, header + data, protocol=UDP))
        return packets

    def next_deadline(self) -> int | None:
        """Return when ``timeout`` is to be called."""
        due = [each.get_timer() for each in self._connections]
        return min((round(when * SECOND) + 1 for when in due if when is not None), default=None)

    def _now(self) -> float:
        return self._ground.now / SECOND

    def _find(self, data: bytes) -> Any:
        from aioquic._buffer import Buffer
        from aioquic.quic.connection import QuicConnection
        from aioquic.quic.packet import QuicPacketType, pull_quic_header

        if self._server is None:
            return self._connections[-1] if self._connections else None
        header = pull_quic_header(Buffer(data=data), host_cid_length=_CID)
        found = self._by_id.get(header.destination_cid)
        if found is None and header.packet_type is QuicPacketType.INITIAL:
            found = QuicConnection(
                configuration=self._server, original_destination_connection_id=header.destination_cid,
                session_ticket_fetcher=self._store.pop, session_ticket_handler=self._keep,
            )  # fmt: skip
            self._connections.append(found)
            self._by_id[header.destination_cid] = self._by_id[found.host_cid] = found
        return found

    def _keep(self, ticket: Any) -> None:
        self._store[ticket.ticket] = ticket

    def _events(self, connection: Any) -> None:
        from aioquic.quic import events

        while (event := connection.next_event()) is not None:
            if isinstance(event, events.StreamDataReceived):
                self.received += len(event.data)
                if event.end_stream and self._server is not None:
                    connection.send_stream_data(event.stream_id, self.answers, end_stream=True)
            elif isinstance(event, events.ConnectionIdIssued):
                self._by_id[event.connection_id] = connection
            elif isinstance(event, events.ConnectionTerminated):
                self.terminated = True
                self._connections.remove(connection)
                self._by_id = {cid: each for cid, each in self._by_id.items() if each is not connection}


def _configuration(*, client: bool) -> Any:
    try:
        from aioquic.quic.configuration import QuicConfiguration
    except ModuleNotFoundError:
        raise TulpenError("this incident needs aioquic", "pip install 'tulpen[lab]'") from None
    return QuicConfiguration(
        is_client=client, alpn_protocols=[_PROTOCOL], verify_mode=ssl.CERT_NONE, server_name="server"
    )


def _certificate() -> tuple[Any, Any]:
    """Return a certificate that nobody has to trust, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start)
    return builder.not_valid_after(start.replace(year=2100)).sign(key, hashes.SHA256()), key


def _dotted(address: bytes) -> str:
    return ".".join(map(str, address))
