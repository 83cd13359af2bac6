"""fast-open: text in the SYN, for one round trip less (RFC 7413)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.sim.filters import Chain, Delay
from tulpen.tcp.state import ESTABLISHED
from tulpen.wire.segment import SYN, Segment

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Door, Machine
    from tulpen.sim.filters import Passed
    from tulpen.wire.ip import Packet

TRIP = 50_000_000  # nanoseconds one way
ROUND = 2 * TRIP / 1e9  # seconds
QUESTION = b"GET / HTTP/1.0\r\n\r\n"


class _Middlebox:
    """Drops SYNs that carry text, as some firewalls do."""

    def __init__(self) -> None:
        self.on = False

    def __call__(self, packet: Packet, now: int) -> Passed:
        seg = packet.payload
        strange = isinstance(seg, Segment) and seg.flags & SYN and len(seg.data)
        return [] if self.on and strange else [(0, packet)]


def _run(lab: Lab) -> None:
    with lab.ground() as ground:
        box = _Middlebox()
        on = 0 if lab.spoiled else 3
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP), tcp_fastopen=on)
        client = ground.machine("client", "192.0.2.2", out=Chain(box, Delay(TRIP)), tcp_fastopen=3)
        door = server.listen(80, **({} if lab.spoiled else {"tcp_fastopen": 16}))
        rows = []
        for title in ("without", "the first: it asks for a cookie", "the second: text in the SYN"):
            lab.say(f"{title}.")
            took = _ask(lab, ground, client, server, door, fast=title != "without")
            rows.append((title, round(1000 * took), round(took / ROUND, 1)))
        lab.claim("the second question takes one round trip less", rows[2][1] < rows[0][1] - 500 * ROUND,
                  f"{rows[0][1]} and {rows[2][1]} ms")  # fmt: skip
        lab.fact("round trips saved", round((rows[0][1] - rows[2][1]) / 1000 / ROUND) >= 1)
        lab.draw(ground, "The SYN brings the question along", 2)
        lab.say("A middlebox drops SYNs with text.")
        box.on = True
        took = _ask(lab, ground, client, server, door, fast=True)
        rows.append(("through a middlebox that drops it", round(1000 * took), round(took / ROUND, 1)))
        lab.claim("it falls back to an ordinary handshake, a timeout later", took > 0.5, f"{took:.2f} s")
        lab.draw(ground, "The SYN with text is lost; the next goes without", 3)
        lab.measured("From connect() to the answer, 100 ms round trip", ("", "ms", "round trips"), rows)


def _ask(lab: Lab, ground: Ground, client: Machine, server: Machine, door: Door, *, fast: bool) -> float:
    start = ground.seconds
    ours = client.connect(server.address, 80, data=QUESTION if fast else None)
    left = ours.left if fast else QUESTION
    if left:
        lab.become(ground, ours, ESTABLISHED)
        ours.send(left)
    theirs = lab.accept(ground, door)
    got = 0

    def asked() -> bool:
        nonlocal got
        got += len(theirs.receive())
        return got >= len(QUESTION)

    ground.until(asked, 10)
    theirs.send(b"answer")
    ground.until(lambda: ours.readable > 0, 5)
    took = ground.seconds - start
    theirs.close()
    ground.until(lambda: ours.eof or ours.readable > 0, 5)
    ours.receive()
    ours.close()
    ground.run(0.3)
    return took


INCIDENT = Incident(
    name="fast-open",
    summary="Text in the SYN saves a round trip; the cookie it takes; and a middlebox that swallows it.",
    theory=(
        "TCP Fast Open puts the first text into the SYN (RFC 7413). A cookie, given out on an earlier connection, "
        "proves that the client receives what is sent to its address, so that nobody can make a server work for a "
        "spoofed one. The first connection asks for the cookie, the later ones save a round trip.\n\n"
        "Some middleboxes drop SYNs with text or with an option they don't know. The SYN sent again goes without "
        "(§4.1.3), a timeout later: one second; after several of these a client leaves it off for a while "
        "(tcp_fastopen_blackhole_timeout_sec). Text in a SYN may come twice, so it suits what may be repeated "
        "(§6.3.1)."
    ),
    run=_run,
    spoiled="the server does not take part",
)
