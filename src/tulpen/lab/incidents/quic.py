"""quic: the same question and the same change of address, over TCP and over QUIC (RFC 9000)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.ground import Backend
from tulpen.lab.incident import Incident
from tulpen.lab.quic import QuicEndpoint
from tulpen.lab.rows import count
from tulpen.sim.filters import Chain, Delay, Switch
from tulpen.tcp.state import ESTABLISHED, TIME_WAIT
from tulpen.wire.address import address

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 25_000_000  # nanoseconds one way
ROUND = 2 * TRIP / 1e9  # seconds
QUESTION, ANSWER = b"q" * 100, b"a" * 30_000
HOME, AWAY = address("192.0.2.2"), address("198.51.100.2")


def _run(lab: Lab) -> None:
    tcp, quic = _tcp(lab), _quic(lab)
    lab.measured("100 octets asked, 30,000 answered, 50 ms round trip", ("", "TCP", "QUIC"), [
        ("first answer, round trips", tcp[0], quic[0]), ("the second time (QUIC: 0-RTT)", tcp[1], quic[1]),
        ("survives a change of address", tcp[2], quic[2]), ("kept for 60 s by who closed first", tcp[3], quic[3]),
    ])  # fmt: skip


def _tcp(lab: Lab) -> tuple[object, ...]:
    with lab.ground() as ground:
        wire = Switch()
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
        client = ground.machine("client", "192.0.2.2", out=Chain(wire, Delay(TRIP)))
        door = server.listen(80)
        took = []
        for _ in range(2):
            start = ground.seconds
            ours = client.connect(server.address, 80)
            lab.become(ground, ours, ESTABLISHED)
            ours.send(QUESTION)
            theirs = lab.accept(ground, door)
            ground.until(lambda theirs=theirs: theirs.readable == len(QUESTION), 3)  # type: ignore[misc]
            theirs.receive()
            theirs.send(ANSWER)
            ground.until(lambda ours=ours: ours.readable > 0, 3)  # type: ignore[misc]
            took.append(round((ground.seconds - start) / ROUND, 1))
            ground.run(0.3)
            ours.receive(1 << 20)
        lab.say("TCP: the client moves to another network. Nothing can be sent from the old address any more.")
        wire.on = False
        before = theirs.readable
        ours.send(QUESTION)
        ground.run(2)
        stuck = theirs.readable == before
        lab.claim("a TCP connection does not follow its host to another address", stuck)
        wire.on = True
        ours.abort()
        line = client.connect(server.address, 80)
        lab.become(ground, line, ESTABLISHED)
        line.close()
        lab.accept(ground, door).close()
        ground.run(1)
        kept = count(client, TIME_WAIT)
        lab.claim("who closed first is left with TIME-WAIT", kept == 1, kept)
        lab.draw(ground, "TCP: a round trip for the handshake, one for the answer")
        return str(took[0]), str(took[1]), "no" if stuck else "yes", f"{kept} entry"


def _quic(lab: Lab) -> tuple[object, ...]:
    with lab.ground(watch=False) as ground:
        server = QuicEndpoint(ground, "server", (address("192.0.2.1"),), out=Delay(TRIP))
        client = QuicEndpoint(ground, "client", (HOME, AWAY), out=Delay(TRIP))
        server.serve()
        server.answers = ANSWER
        took = []
        for number in range(2):
            start, had = ground.seconds, client.received
            lab.say("QUIC: the question with the handshake." if number else "QUIC: the first connection.")
            connection = client.connect(server.address, QUESTION, ticket=client.tickets[-1] if client.tickets else None)
            ground.until(lambda had=had: client.received > had, 5)  # type: ignore[misc]
            took.append(round((ground.seconds - start) / ROUND, 1))
            ground.run(0.5)
        lab.claim("the second answer comes after one round trip (0-RTT)", took[1] < took[0], f"{took[0]} and {took[1]}")
        lab.say("QUIC: the client moves to another network, and asks again on the same connection.")
        if not lab.spoiled:
            client.address = AWAY
        had = client.received
        connection.send_stream_data(connection.get_next_available_stream_id(), QUESTION, end_stream=True)
        ground.world.poke()
        lived = ground.until(lambda: client.received >= had + len(ANSWER), 5)
        moved = client.address == AWAY
        lab.claim("a QUIC connection follows its host to another address", lived and moved)
        client.close()
        ground.until(lambda: client.connections == 0, 5)
        kept = client.connections
        lab.claim("nothing is left of it 5 s after the close", kept == 0, kept)
        lab.fact("QUIC: what is left after the close", kept)
        return str(took[0]), str(took[1]), "yes" if lived and moved else "no", "nothing"


INCIDENT = Incident(
    name="quic",
    summary="The same question and the same change of address over TCP and over QUIC.",
    theory=(
        "A TCP connection is named by both sockets (RFC 9293 §3.3.1): with another address it is another connection. "
        "QUIC names its connections by ids of its own (RFC 9000 §5.1); a packet from a new address moves the "
        "connection there once the path has been validated (§9).\n\n"
        "QUIC joins the handshakes of transport and TLS in one round trip, and with a ticket from before the first "
        "text goes with the first packet (0-RTT, §4.1 of RFC 9001), which may be replayed, as in TCP Fast Open. It "
        "has no TIME-WAIT: after a close an endpoint keeps quiet for three probe timeouts (RFC 9000 §10.2), and old "
        "packets cannot be taken for new ones because their keys differ."
    ),
    run=_run,
    spoiled="the client stays where it is",
    backends=(Backend.SIM, Backend.STACK),
    absent={Backend.KERNEL: "Linux's kernel has no QUIC: try --on sim or --on stack."},
    inexact="the QUIC library draws its keys by lot",
)
