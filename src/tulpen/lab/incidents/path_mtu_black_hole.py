"""path-mtu-black-hole: large packets vanish, and nobody says so (RFC 2923, RFC 4821)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.sim.filters import Chain, Delay
from tulpen.sim.mtu import Mtu
from tulpen.tcp.state import ESTABLISHED

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 2_000_000  # nanoseconds one way
PATH = 1200  # octets
TEXT = bytes(20_000)


def _run(lab: Lab) -> None:
    rows = [
        _send(lab, "a router that says so", 1500, icmp=True, probing=0, arrives=True, seconds=20),
        _send(lab, "a black hole", 1500, icmp=False, probing=0, arrives=False, seconds=3),
        _send(lab, "a black hole, tcp_mtu_probing 1", 1500, icmp=False, probing=1, arrives=True, seconds=40),
        _send(lab, "a black hole, MSS held down", PATH, icmp=False, probing=0, arrives=True, seconds=20),
    ]
    lab.measured(
        f"20 kB through a path of {PATH} octets",
        ("", "octets that came", "seconds", "packets lost for their size"),
        rows,
    )


def _send(
    lab: Lab, title: str, mtu: int, *, icmp: bool, probing: int, arrives: bool, seconds: float
) -> tuple[object, ...]:
    with lab.ground() as ground:
        hole = Mtu(1500 if lab.spoiled else PATH, icmp=icmp)
        server = ground.machine("server", "192.0.2.1", mtu=mtu, out=Delay(TRIP))
        client = ground.machine("client", "192.0.2.2", out=Chain(hole, Delay(TRIP)), tcp_mtu_probing=probing)
        ours, theirs = lab.joined(ground, client, server, server.listen(80))
        lab.say(f"{title}: small segments pass, full ones do not.")
        ours.send(b"hello")
        ground.until(lambda: theirs.readable == 5, 3)
        theirs.receive()
        start, got = ground.seconds, 0
        ours.send(TEXT)

        def all_there() -> bool:
            nonlocal got
            got += len(theirs.receive(1 << 20))
            return got >= len(TEXT)

        whole = ground.until(all_there, seconds)
        took = round(ground.seconds - start, 2)
        lab.fact(f"{title}: arrives", whole)
        if arrives:
            lab.claim(f"{title}: all arrives", whole, f"{got:,} octets in {took} s")
        else:
            lab.look(client, ESTABLISHED, note="ESTABLISHED at both ends, and Send-Q does not move.")
            lab.claim(f"{title}: the connection is open and nothing arrives", not whole and ours.state is ESTABLISHED,
                      f"{got:,} octets")  # fmt: skip
            lab.draw(ground, "The handshake passes, full segments vanish")
        return (title, got, took, hole.dropped)


INCIDENT = Incident(
    name="path-mtu-black-hole",
    summary="The handshake works, the page does not come: full segments vanish on the path, and nobody says so.",
    theory=(
        "A sender fills segments up to the MSS that was agreed, with Don't Fragment set. Where a link takes less, its "
        "router drops them and says so by ICMP, Packet Too Big (RFC 1191, RFC 8201). A firewall that drops all ICMP "
        "makes the path a black hole (RFC 2923): handshakes and small requests pass, full segments never do, and the "
        "connection hangs in ESTABLISHED.\n\n"
        "The fixes: let ICMP type 3 code 4 through; hold the MSS down where the tunnel begins; or search for the size "
        "that passes without ICMP (RFC 4821; tcp_mtu_probing = 1)."
    ),
    run=_run,
    spoiled="the path takes whole packets",
)
