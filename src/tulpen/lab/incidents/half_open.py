"""half-open: the other end is gone, and nobody says so (RFC 9293 §3.5.1, §3.8.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tulpen.lab.bench import error_name
from tulpen.lab.incident import Incident
from tulpen.sim.filters import Chain, Delay, Switch
from tulpen.sim.nat import Nat, Unknown
from tulpen.tcp.state import CLOSED, ESTABLISHED
from tulpen.wire.address import address

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Line, Machine

TRIP = 1_000_000  # nanoseconds one way
PUBLIC = "198.51.100.1"
DEAD = 30.0  # seconds that a measured time may be later than predicted, on a busy machine
SLOW = 0.9  # of the predicted time, at least

Rows = list[tuple[object, ...]]


def _run(lab: Lab) -> None:
    rows: Rows = []
    _silence(lab, rows)
    _keepalive(lab, rows, 1, 1, 3)
    if lab.virtual:
        _keepalive(lab, rows, 30, 5, 3)
        _keepalive(lab, rows, 7200, 75, 9)
    _user_timeout(lab, rows)
    _reboot(lab, rows)
    _heartbeat(lab, rows)
    _killed(lab, rows)
    _nat_forgets(lab, rows, Unknown.DROP)
    _nat_forgets(lab, rows, Unknown.RESET)
    lab.measured("When the survivor knows", ("what tells it", "predicted, s", "measured, s", "errno"), rows)


def _scene(lab: Lab, ground: Ground) -> tuple[Machine, Line, Line, Callable[[], None]]:
    cable = Switch()
    server = ground.machine("server", "192.0.2.1", out=Chain(cable, Delay(TRIP)))
    client = ground.machine("client", "192.0.2.2", out=Chain(cable, Delay(TRIP)))
    ours, theirs = lab.joined(ground, client, server, server.listen(80))
    ours.send(b"hello")
    ground.until(lambda: theirs.readable == 5, 3)
    theirs.receive()
    ground.run(0.1)

    def cut() -> None:
        cable.on = lab.spoiled

    return server, ours, theirs, cut


def _silence(lab: Lab, rows: Rows) -> None:
    with lab.ground() as ground:
        server, _, theirs, cut = _scene(lab, ground)
        cut()
        seconds = 86_400.0 if lab.virtual else 1.0
        lab.say(f"The cable is cut, and nobody sends. {seconds:,.0f} s pass.")
        ground.run(seconds)
        lab.look(server, ESTABLISHED)
        lab.claim("an idle connection never learns of it", theirs.state is ESTABLISHED, theirs.state.title)
        rows.append(("nothing: no keep-alive, nothing to send", "never", "not yet", ""))


def _keepalive(lab: Lab, rows: Rows, idle: int, between: int, times: int) -> None:
    with lab.ground() as ground:
        _, _, theirs, cut = _scene(lab, ground)
        theirs.set(tcp_keepidle=idle, tcp_keepintvl=between, tcp_keepcnt=times)
        theirs.set(so_keepalive=1)
        cut()
        predicted = idle + between * times
        lab.say(f"Keep-alive: idle {idle} s, then {times} probes {between} s apart. The cable is cut.")
        start = ground.seconds
        ended = lab.become(ground, theirs, CLOSED, predicted + DEAD)
        took = ground.seconds - start
        lab.claim(
            f"keep-alive {idle}/{between}/{times} ends it after {predicted} s", ended and took >= SLOW * predicted - 1,
            f"{took:,.1f} s",
        )  # fmt: skip
        found = error_name(theirs.error)
        lab.fact(f"keep-alive {idle}/{between}/{times}: errno", found)
        rows.append((f"keep-alive {idle}/{between}/{times}", predicted, round(took, 1), found))
        lab.draw(ground, f"Keep-alive {idle}/{between}/{times}: probes that nobody answers")


def _user_timeout(lab: Lab, rows: Rows) -> None:
    with lab.ground() as ground:
        _, _, theirs, cut = _scene(lab, ground)
        theirs.set(tcp_user_timeout=2000)
        cut()
        lab.say("TCP_USER_TIMEOUT of 2 s, and something to send. The cable is cut.")
        theirs.send(b"are you there?")
        start = ground.seconds
        ended = lab.become(ground, theirs, CLOSED, 2 + DEAD)
        took = ground.seconds - start
        lab.claim("the user timeout ends it after 2 s and a little", ended and took >= SLOW * 2, f"{took:,.1f} s")
        found = error_name(theirs.error)
        lab.fact("user timeout: errno", found)
        rows.append(("TCP_USER_TIMEOUT 2 s, data pending", 2, round(took, 1), found))


def _reboot(lab: Lab, rows: Rows) -> None:
    with lab.ground() as ground:
        server, ours, _, _ = _scene(lab, ground)
        lab.say("The server loses power and comes back. The client notices nothing until it writes.")
        server.reboot()
        ground.run(60 if lab.virtual else 0.5)
        before = ours.state
        lab.claim("the client still is ESTABLISHED", before is ESTABLISHED, before.title)
        ours.send(b"are you there?")
        start = ground.seconds
        told = lab.become(ground, ours, CLOSED, 5)
        lab.claim("the next write is answered with a RST", told, ours.state.title)
        found = error_name(ours.error)
        lab.fact("reboot: errno at the next write", found)
        rows.append(
            (
                "the other machine is back, and something is sent",
                "1 round trip",
                round(ground.seconds - start, 3),
                found,
            )
        )
        lab.draw(ground, "A machine that has forgotten answers with a RST")


def _heartbeat(lab: Lab, rows: Rows) -> None:
    """The application asks, and gives up by its own clock."""
    with lab.ground() as ground:
        _, ours, theirs, cut = _scene(lab, ground)
        cut()
        lab.say("A heartbeat of the application's own: a question, and an answer within 1 s.")
        ours.send(b"ping")
        start = ground.seconds
        answered = ground.until(lambda: theirs.readable > 0, 1)
        took = ground.seconds - start
        lab.claim("no answer within 1 s: the application knows, whatever TCP thinks", not answered, f"{took:,.1f} s")
        lab.fact("TCP's state when the heartbeat knows", ours.state)
        rows.append(("the application's heartbeat, 1 s", 1, round(took, 1), "none: the program closes"))


def _killed(lab: Lab, rows: Rows) -> None:
    """A process that dies leaves no half-open connection: its kernel closes for it."""
    with lab.ground() as ground:
        _, ours, theirs, _ = _scene(lab, ground)
        lab.say("The server's process is killed; its machine lives on.")
        start = ground.seconds
        if not lab.spoiled:
            theirs.close()
        told = ground.until(lambda: ours.eof, 3)
        lab.claim("a killed process is no half-open peer: its machine closes", told, ours.state.title)
        lab.fact("the peer's process is killed: the client sees", "the end of the stream" if told else "nothing")
        rows.append(
            ("the peer's machine, for a process that died", "1 way", round(ground.seconds - start, 3), "none: EOF")
        )


def _nat_forgets(lab: Lab, rows: Rows, unknown: Unknown) -> None:
    """A box in the middle lets go of an idle connection."""
    with lab.ground() as ground:
        nat = Nat(address(PUBLIC), unknown=unknown)
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
        ground.box("nat", PUBLIC, nat.inward)
        client = ground.machine("client", "10.0.0.1", out=Chain(nat.outward, Delay(TRIP)))
        ours, theirs = lab.joined(ground, client, server, server.listen(80))
        ground.run(0.1)
        lab.say(f"The NAT between them forgets the idle connection; of what it does not know, {unknown.value}.")
        if not lab.spoiled:
            nat.forget()
        ours.set(tcp_user_timeout=2000)
        ours.send(b"are you there?")
        start = ground.seconds
        ended = lab.become(ground, ours, CLOSED, 2 + DEAD)
        took = ground.seconds - start
        found = error_name(ours.error)
        lab.fact(f"the NAT's entry is gone ({unknown.name.lower()}): errno", found)
        lab.claim(
            f"where {unknown.value}, the next write ends in {found}", ended and theirs.state is ESTABLISHED, found
        )
        rows.append((f"the NAT's entry is gone: {unknown.value}", "2" if unknown is Unknown.DROP else "1 round trip",
                     round(took, 3), found))  # fmt: skip


INCIDENT = Incident(
    name="half-open",
    summary="The peer is gone without a word: who notices, by what, and after how long.",
    theory=(
        "A connection is half-open when one end has closed or vanished and the other does not know (RFC 9293 §3.5.1). "
        "TCP sends nothing when there is nothing to say, so an idle survivor learns nothing, however long it waits.\n\n"
        "What tells it: a keep-alive (RFC 9293 §3.8.4; off by default, and then after tcp_keepalive_time, two hours, "
        "and tcp_keepalive_probes at tcp_keepalive_intvl: 7200 + 9 * 75 = 7875 s; 30/5/3 takes 45 s); data of its own "
        "that nobody acknowledges, after tcp_retries2 (13 to 30 minutes) or the user timeout (RFC 5482); a RST, once "
        "the other machine is back and gets something; or the application, which asks and counts. Keep-alives do not "
        "run while data is unacknowledged: there, the user timeout decides."
    ),
    run=_run,
    spoiled="the cable is not cut",
)
