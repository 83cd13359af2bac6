"""tw-recycle: tcp_tw_recycle as it was before Linux 4.12, and clients behind one NAT (RFC 6191 §4, RFC 7323 §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.ground import Backend
from tulpen.lab.incident import Incident
from tulpen.sim.filters import Chain, Delay
from tulpen.sim.nat import Nat
from tulpen.tcp.state import ESTABLISHED
from tulpen.wire.address import address

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 1_000_000  # nanoseconds one way
CLIENTS = 4
ROUNDS = 6
PUBLIC = "198.51.100.1"


def _run(lab: Lab) -> None:
    rows = [_behind_one_address(lab, on) for on in (1, 0)]
    lab.measured("Clients behind one NAT", ("tcp_tw_recycle", "tried", "connected", "failed", "PAWSPassive"), rows)


def _behind_one_address(lab: Lab, recycle: int) -> tuple[object, ...]:
    with lab.ground() as ground:
        lab.say(f"tcp_tw_recycle = {recycle}. {CLIENTS} clients behind one address; the server closes first.")
        nat = Nat(address(PUBLIC))
        server = ground.machine(
            "server", "192.0.2.1", out=Delay(TRIP), tcp_tw_recycle=bool(recycle) and not lab.spoiled
        )
        ground.box("nat", PUBLIC, nat.inward)
        clients = [
            ground.machine(f"client {number}", f"10.0.0.{number}", out=Chain(nat.outward, Delay(TRIP)))
            for number in range(1, CLIENTS + 1)
        ]
        door = server.listen(80)
        tried = connected = 0
        for _ in range(ROUNDS):
            for client in clients:
                tried += 1
                line = client.connect(server.address, 80)
                if ground.until(lambda line=line: line.state is ESTABLISHED, 0.3):  # type: ignore[misc]
                    connected += 1
                    theirs = lab.accept(ground, door)
                    theirs.close()
                    ground.until(lambda line=line: line.eof, 3)  # type: ignore[misc]
                line.close()
                ground.run(0.02)
        refused = server.counters()["PAWSPassive"]
        lab.show("nstat -az TcpExtPAWSPassive", f"TcpExtPAWSPassive {refused}")
        failed = tried - connected
        if recycle:
            lab.claim("with tcp_tw_recycle some clients cannot connect", failed > 0, f"{failed} of {tried}")
        else:
            lab.claim("without it all can", failed == 0, f"{failed} of {tried} failed")
        lab.fact(f"tcp_tw_recycle {recycle}: clients that fail", "some" if failed else "none")
        return (recycle, tried, connected, failed, refused)


INCIDENT = Incident(
    name="tw-recycle",
    summary="tcp_tw_recycle behind a NAT: some customers cannot connect, some of the time.",
    theory=(
        "To reuse what is in TIME-WAIT early, tcp_tw_recycle remembered the last timestamp of each address and "
        "dropped SYNs with an older one (RFC 6191 §4 for one connection; per address it assumes one clock per "
        "address). Behind a NAT there are many clocks: whoever's runs behind the one that was served last is dropped, "
        "without an answer, until the memory fades after 60 s (RFC 7323 §5.8 warns of it).\n\n"
        "Linux gave every connection its own timestamp offset in 4.10, which broke the option altogether, and removed "
        "it in 4.12. The fix is to leave it off; ports are won by other means (see port-exhaustion)."
    ),
    run=_run,
    spoiled="tcp_tw_recycle stays off",
    backends=(Backend.SIM, Backend.STACK),
    absent={Backend.KERNEL: "Linux has had no tcp_tw_recycle since 4.12: try --on sim or --on stack."},
)
