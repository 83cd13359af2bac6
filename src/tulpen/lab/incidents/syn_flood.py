"""syn-flood: SYNs from nowhere fill the SYN queue (RFC 4987)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.forge import segment
from tulpen.lab.holes import Holes
from tulpen.lab.incident import Incident
from tulpen.lab.rows import count
from tulpen.sim.filters import Chain, Delay
from tulpen.tcp.state import ESTABLISHED, SYN_RECEIVED
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address
from tulpen.wire.options import Options
from tulpen.wire.segment import SYN

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Line, Machine

TRIP = 1_000_000  # nanoseconds one way
FLOOD, FULL_FLOOD = 400, 20_000  # SYNs
SMALL, LARGE = 16, 1024  # backlog
FAR = 50_000_000  # nanoseconds one way
TEXT = bytes(3_000_000)


def _run(lab: Lab) -> None:
    rows = [_flooded(lab, cookies, backlog) for cookies in (0, 1, 2) for backlog in (SMALL, LARGE)]
    lab.measured(
        f"{FULL_FLOOD if lab.full else FLOOD:,} SYNs from spoofed sources",
        ("tcp_syncookies", "backlog", "SYN queue", "cookies sent", "received", "failed", "dropped", "client"), rows,
    )  # fmt: skip
    _what_a_cookie_loses(lab)
    if lab.virtual:
        _what_that_costs(lab)


def _flooded(lab: Lab, cookies: int, backlog: int) -> tuple[object, ...]:
    with lab.ground(watch=False) as ground:
        server = ground.machine(
            "server", "192.0.2.1", out=Delay(TRIP), tcp_syncookies=cookies, tcp_max_syn_backlog=LARGE
        )
        client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
        door = server.listen(80, backlog=backlog)
        lab.say(f"tcp_syncookies = {cookies}, backlog {backlog}: the flood comes, and one honest client.")
        if not lab.spoiled:
            _flood(lab, ground, server, FULL_FLOOD if lab.full else FLOOD)
        ground.run(0.05)
        queue = count(server, SYN_RECEIVED)
        if cookies == 1 and backlog == SMALL:
            lab.look(server, SYN_RECEIVED)
        ours = client.connect(server.address, 80)
        opened = ground.until(lambda: ours.state is ESTABLISHED and door.waiting > 0, 0.8)
        lab.consult(server, ground, lambda: _flood(lab, ground, server, 100))
        _spurious_ack(ground, server)
        counters = server.counters()
        sent, came, failed = (counters[f"Syncookies{what}"] for what in ("Sent", "Recv", "Failed"))
        dropped = counters["TCPReqQFullDrop"]
        _claims(lab, cookies, backlog, opened, sent)
        lab.fact(f"cookies {cookies}, backlog {backlog}: the client connects", opened)
        lab.fact(f"cookies {cookies}, backlog {backlog}: cookies were sent", sent > 0)
        return (cookies, backlog, queue, sent, came, failed, dropped, "connects" if opened else "waits")


def _claims(lab: Lab, cookies: int, backlog: int, opened: bool, sent: int) -> None:
    if cookies == 0 and backlog == SMALL:
        lab.claim("without cookies and with a small backlog the honest client waits", not opened)
    elif cookies:
        lab.claim(f"with tcp_syncookies {cookies} and backlog {backlog} it connects", opened)
    if cookies == 2:
        lab.claim(f"tcp_syncookies 2 sends cookies at any time (backlog {backlog})", sent > 0, sent)


def _flood(lab: Lab, ground: Ground, server: Machine, syns: int) -> None:
    target, chance = address(server.address), ground.world.chance.split("flood")
    for number in range(syns):
        source = bytes((198, 18 + number % 2, chance.between(1, 254), chance.between(1, 254)))
        name = FourTuple(source, chance.between(1024, 65_535), target, 80)
        ground.inject(segment(name, SYN, chance.between(0, 2**32 - 1), options=Options(mss=1460)))
        if number % 50 == 49:
            ground.run(0.002)
            lab.progress("SYNs", number + 1, syns)


def _spurious_ack(ground: Ground, server: Machine) -> None:
    """A guess at a cookie: an ACK out of nowhere."""
    from tulpen.wire.segment import ACK

    name = FourTuple(address("198.18.0.9"), 4000, address(server.address), 80)
    ground.inject(segment(name, ACK, 1, 12_345))
    ground.run(0.02)


def _what_a_cookie_loses(lab: Lab) -> None:
    """A cookie remembers the MSS alone; the rest travels in the timestamp, where there is one."""
    rows = []
    for timestamps in (1, 0):
        for cookies in (0, 2):
            with lab.ground() as ground:
                server = ground.machine(
                    "server", "192.0.2.1", out=Delay(TRIP), tcp_syncookies=cookies, tcp_timestamps=timestamps
                )
                client = ground.machine("client", "192.0.2.2", out=Delay(TRIP), tcp_timestamps=timestamps)
                ours, theirs = lab.joined(ground, client, server, server.listen(80))
                ours.send(b"x")
                ground.until(lambda theirs=theirs: theirs.readable == 1, 3)  # type: ignore[misc]
                scale, sack = _kept(ours), _kept_sack(ours)
                rows.append(("by cookie" if cookies else "by the SYN queue", timestamps, scale, sack))
                lab.fact(
                    f"{'cookie' if cookies else 'queue'}, timestamps {timestamps}: window scale, SACK", (scale, sack)
                )
                if cookies and not timestamps:
                    lab.claim("a cookie without timestamps has no window scale and no SACK", not scale and not sack)
                elif cookies:
                    lab.claim("with timestamps a cookie connection keeps both", scale and sack)
    lab.measured("What a connection keeps", ("opened", "timestamps", "window scale", "SACK"), rows)


def _what_that_costs(lab: Lab) -> None:
    """The same transfer over a long path that loses a few segments, by the SYN queue and by a cookie."""
    rows = []
    for title, cookies in (("by the SYN queue", 0), ("by cookie", 2)):
        with lab.ground(watch=False) as ground:
            server = ground.machine("server", "192.0.2.1", out=Delay(FAR), tcp_syncookies=cookies, tcp_timestamps=0)
            lossy = Chain(Holes(range(300, 324, 6)), Delay(FAR))
            client = ground.machine("client", "192.0.2.2", out=lossy, tcp_timestamps=0)
            ours, theirs = lab.joined(ground, client, server, server.listen(80))
            start, left, got = ground.seconds, TEXT, 0

            def all_there() -> bool:
                nonlocal left, got
                left = left[ours.send(left) :] if left else left  # noqa: B023 (called within this turn alone)
                got += len(theirs.receive(1 << 20))  # noqa: B023
                return got >= len(TEXT)

            ground.until(all_there, 600)
            took = ground.seconds - start
            rows.append((title, round(took, 2), round(len(TEXT) / took / 1000)))
    slower = rows[1][1] / rows[0][1]
    lab.claim(
        "without window scale and SACK the same transfer takes longer", slower > 1.2, f"{slower:.1f} times as long"
    )
    lab.measured("3 MB, 100 ms round trip, four segments lost, timestamps off", ("opened", "seconds", "kB/s"), rows)


def _kept(line: Line) -> bool:
    return line.measure()["wscale"] > 0


def _kept_sack(line: Line) -> bool:
    return bool(line.measure()["sack"])


INCIDENT = Incident(
    name="syn-flood",
    summary="SYNs from nowhere fill the SYN queue: cookies off, on and always, and what a cookie connection loses.",
    theory=(
        "Each SYN takes an entry of the SYN queue until the handshake ends or SYN,ACKs have been sent "
        "tcp_synack_retries times, a minute or more. SYNs with made-up sources never end it: the queue is full, and "
        "honest clients are dropped (RFC 4987 §2).\n\n"
        "A SYN cookie is an initial sequence number that carries what the entry would (RFC 4987 §3.6): a hash, and "
        "two or three bits of MSS. The listener keeps nothing, and the ACK that ends the handshake proves itself. "
        "tcp_syncookies = 1 sends them when the queue overflows, 2 always. What does not fit is lost: window scale "
        "and SACK, unless timestamps carry them. Without them throughput is 64 KiB a round trip, and each loss costs "
        "more."
    ),
    run=_run,
    spoiled="there is no flood",
)
