"""isn: initial sequence numbers that can be told beforehand, and the hijack they allow (RFC 6528)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.host.isn import Numbers
from tulpen.lab.forge import segment
from tulpen.lab.ground import Backend
from tulpen.lab.incident import Incident
from tulpen.sim.filters import Delay, drop
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, PSH, SYN

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 2_000_000  # nanoseconds one way
FACTORY = b"the same secret in every device!"  # what a maker must not do
TRUSTED = "192.0.2.9"
COMMAND = b"echo + + >> .rhosts\n"
AHEAD = 200  # ticks of 4 microseconds that the attacker tries around its guess
AMPLE = 2_000  # for a clock that is not virtual


def _run(lab: Lab) -> None:
    rows = [_hijack(lab, known=True), _hijack(lab, known=False)]
    lab.measured(
        "An attacker who never sees an answer", ("the server's numbers", "ACKs tried", "the server obeys"), rows
    )


def _hijack(lab: Lab, *, known: bool) -> tuple[object, ...]:
    with lab.ground() as ground:
        secret = FACTORY if known and not lab.spoiled else None
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP), secret=secret)
        ground.box("trusted", TRUSTED, drop)  # switched off: it does not answer with a RST
        door = server.listen(513)
        what = "known to the attacker" if known else "RFC 6528's, with a secret of its own"
        lab.say(f"The server's numbers are {what}. The attacker writes in the name of {TRUSTED}, which is down.")
        name = FourTuple(address(TRUSTED), 1023, address(server.address), 513)
        ground.inject(segment(name, SYN, 1000, options=Options(mss=1460)))
        sent = ground.now
        ground.run(0.02)
        theirs = FourTuple(name.remote, name.remote_port, name.local, name.local_port)
        guess = Numbers(FACTORY).isn(theirs, sent)
        tries = AHEAD if lab.virtual else AMPLE
        for off in range(-10, tries):
            ground.inject(segment(name, ACK, 1001, guess + off + 1, window=65_000))
            ground.inject(segment(name, PSH | ACK, 1001, guess + off + 1, data=COMMAND, window=65_000))
        ground.run(0.2)
        line = door.accept()
        got = b"" if line is None else line.receive()
        obeys = got == COMMAND
        if known:
            lab.claim("who can tell the number is believed", obeys, got.decode() or "nothing was accepted")
        else:
            lab.claim("who cannot is not", not obeys, "nothing was accepted" if line is None else got.decode())
        lab.fact(f"numbers {'known' if known else 'secret'}: the server obeys", obeys)
        lab.draw(ground, f"Forged ACKs, numbers {'known' if known else 'secret'}")
        return (what, tries + 10, "yes" if obeys else "no")


INCIDENT = Incident(
    name="isn",
    summary="Initial sequence numbers that can be told beforehand: a connection in somebody else's name.",
    theory=(
        "The handshake shows that the client receives what is sent to its address: it has to acknowledge the server's "
        "initial sequence number. If that can be computed, a client that receives nothing can acknowledge it, and "
        "write in another machine's name (Morris 1985; Mitnick against Shimomura 1994).\n\n"
        "RFC 6528 adds to the clock a hash of both sockets and a secret, so that the numbers of one connection tell "
        "nothing of another's. Here the secret is the same in all devices of a maker: as good as none. Linux's secret "
        "is drawn at boot and cannot be set, so there is nothing to show on it."
    ),
    run=_run,
    spoiled="the maker's devices have secrets of their own",
    backends=(Backend.SIM, Backend.STACK),
    absent={Backend.KERNEL: "Linux draws its secret at boot, and nobody can set it: try --on sim."},
)
