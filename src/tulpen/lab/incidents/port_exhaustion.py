"""port-exhaustion: more connections a minute than there are ports (RFC 9293 §3.6.1, RFC 6056, RFC 6191)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.bench import error_name
from tulpen.lab.incident import Incident
from tulpen.lab.rows import count
from tulpen.sim.filters import Delay
from tulpen.tcp.state import CLOSED, ESTABLISHED, TIME_WAIT

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Door, Machine, Value

TRIP = 100_000  # nanoseconds one way
FIRST = 40_000
SMALL, LINUX = 50, 28_232  # ports
MSL2 = 60.0  # seconds


def _run(lab: Lab) -> None:
    ports = LINUX if lab.full else SMALL
    rows = [
        _burst(lab, "as it is", ports),
        _burst(lab, "SO_REUSEADDR on the client's socket", ports, reuseaddr=1),
        _burst(lab, "tcp_tw_reuse 2: on loopback alone", ports, tcp_tw_reuse=2, pause=1.2),
        _burst(lab, "tcp_tw_reuse 1, timestamps off", ports, tcp_tw_reuse=1, tcp_timestamps=0),
        _burst(lab, "tcp_tw_reuse 1, timestamps on", ports, tcp_tw_reuse=1, pause=1.2),
        _burst(lab, "twice as many ports", ports, wider=2),
        _burst(lab, "two destinations", ports, destinations=2),
        _pool(lab, ports),
    ]
    lab.measured(
        f"With {ports:,} ports: connections until connect() fails, tried {_tries(ports):,} times",
        ("", "connections", "then"), rows,
    )  # fmt: skip
    if lab.virtual:
        _rate(lab, SMALL)


def _tries(ports: int) -> int:
    return 2 * ports + 10


def _machines(
    lab: Lab, ground: Ground, ports: int, destinations: int, **settings: Value
) -> tuple[Machine, list[tuple[Machine, Door]]]:
    last = FIRST + (ports if not lab.spoiled else 10 * ports) - 1
    given: dict[str, Value] = {"ip_local_port_range": (FIRST, last), "tcp_tw_reuse": 0, **settings}
    client = ground.machine("client", "192.0.2.100", out=Delay(TRIP), **given)  # type: ignore[arg-type]
    servers = []
    for number in range(destinations):
        server = ground.machine(f"server {number + 1}", f"192.0.2.{number + 1}", out=Delay(TRIP))
        servers.append((server, server.listen(80)))
    return client, servers


def _burst(
    lab: Lab, title: str, ports: int, *, destinations: int = 1, wider: int = 1, reuseaddr: int = 0, pause: float = 0,
    **settings: Value,
) -> tuple[object, ...]:  # fmt: skip
    with lab.ground(watch=False) as ground:
        lab.say(f"{title}: connect, ask, close, one after the other.")
        client, servers = _machines(lab, ground, ports * wider, destinations, **settings)
        options: dict[str, Value] = {"so_reuseaddr": 1} if reuseaddr else {}
        made, failed = 0, 0
        for number in range(_tries(ports)):
            server, door = servers[number % destinations]
            failed = _once(lab, ground, client, server, door, options)
            if failed and pause:
                ground.run(pause)  # an entry has to be a second old to be used again
                failed = _once(lab, ground, client, server, door, options)
            if failed:
                break
            made += 1
            lab.progress(title, made, _tries(ports))
        if failed:
            lab.look(client, TIME_WAIT)
            lab.consult(client, ground)
        enough = made == _tries(ports)
        lab.fact(f"{title}: then", error_name(failed) if failed else "it goes on")
        _claim(lab, title, made, ports * wider * destinations, enough)
        return (title, made, error_name(failed) if failed else "it goes on")


def _claim(lab: Lab, title: str, made: int, room: int, enough: bool) -> None:
    if title == "tcp_tw_reuse 1, timestamps on":
        lab.claim("tcp_tw_reuse with timestamps takes ports out of TIME-WAIT again", enough, f"{made:,}")
    else:
        lab.claim(f"{title}: it ends when {room:,} pairs are used up", made == room or (enough and made < room),
                  f"{made:,} connections")  # fmt: skip


def _once(lab: Lab, ground: Ground, client: Machine, server: Machine, door: Door, options: dict[str, Value]) -> int:
    """Connect, accept, close at the client first; return the errno of connect()."""
    try:
        line = client.connect(server.address, 80, **options)  # type: ignore[arg-type]
    except OSError as error:
        return error.errno or 0
    ground.until(lambda: line.state is ESTABLISHED, 5)
    theirs = lab.accept(ground, door)
    line.close()
    ground.until(lambda: theirs.eof, 5)
    theirs.close()
    lab.become(ground, theirs, CLOSED, 5)
    return 0


def _pool(lab: Lab, ports: int) -> tuple[object, ...]:
    """One connection, as many questions."""
    title = "a pool: one connection kept"
    with lab.ground(watch=False) as ground:
        lab.say(title)
        client, [(server, door)] = _machines(lab, ground, ports, 1)
        ours, theirs = lab.joined(ground, client, server, door)
        asked = 0
        for _ in range(min(_tries(ports), 200)):
            ours.send(b"?")
            ground.until(lambda: theirs.readable > 0, 5)
            theirs.receive()
            asked += 1
        lab.claim("a pool uses one port however many questions", count(client, TIME_WAIT) == 0, f"{asked} questions")
        return (title, 1, f"{asked} questions over it")


def _rate(lab: Lab, ports: int) -> None:
    """Connections a second that ports and 2 MSL allow, against those that are wanted."""
    with lab.ground(watch=False) as ground:
        wanted, seconds = ports / MSL2 * 4, 240
        lab.say(
            f"{wanted:.2f} connections a second are wanted for {seconds} s; {ports} ports allow {ports / MSL2:.2f}."
        )
        client, [(server, door)] = _machines(lab, ground, ports, 1)
        curve, made, start = [(0.0, 0.0)], 0, ground.seconds
        while ground.seconds - start < seconds:
            made += not _once(lab, ground, client, server, door, {})
            curve.append((ground.seconds - start, float(made)))
            ground.run(1 / wanted)
        lab.plot("Connections made", "seconds", "connections", {
            "made": curve, "wanted": [(0, 0), (seconds, wanted * seconds)],
            "ports / 2 MSL": [(0, 0), (seconds, ports / MSL2 * seconds)],
        })  # fmt: skip
        sustained = made / seconds
        lab.claim("what is sustained is ports / 60 s, and the first burst", sustained <= ports / MSL2 + ports / seconds,
                  f"{sustained:.2f} a second")  # fmt: skip


INCIDENT = Incident(
    name="port-exhaustion",
    summary="EADDRNOTAVAIL: every ephemeral port is in TIME-WAIT towards one destination; what helps, what does not.",
    theory=(
        "A connection is named by both sockets (RFC 9293 §3.3.1). To one address and port, a client that closes first "
        "can have as many connections in 2 MSL as it has ephemeral ports: 28,232 in 60 s with Linux's defaults, 470 a "
        "second. Beyond that connect() fails with EADDRNOTAVAIL.\n\n"
        "What helps: to keep connections (a pool); to let the server close first; more destinations (addresses or "
        "ports); a wider ip_local_port_range; tcp_tw_reuse = 1, which needs timestamps to tell old from new (RFC 6191 "
        "§2, RFC 7323 §5) and an entry a second old. What does not help: SO_REUSEADDR, which is about bind()."
    ),
    run=_run,
    spoiled="there are ten times as many ports",
)
