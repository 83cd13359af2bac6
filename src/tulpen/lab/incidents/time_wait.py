"""time-wait: what the 2 MSL are for, and how they can be cut short (RFC 9293 §3.6.1, RFC 1337)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.bench import error_name
from tulpen.lab.forge import Memory, segment
from tulpen.lab.incident import Incident
from tulpen.lab.rows import titles
from tulpen.sim.filters import Chain, Delay, Switch
from tulpen.tcp.state import CLOSED, LAST_ACK, TIME_WAIT
from tulpen.wire.segment import ACK, PSH, Segment
from tulpen.wire.seq import wrap

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Line, Machine
    from tulpen.wire.ip import Packet

TRIP = 5_000_000  # nanoseconds one way
OLD, NEW = b"OLD!" * 16_384, b"new." * 16_384  # 64 KiB each
TIMES = 10
WINDOW = 50_000  # octets, at least


def _run(lab: Lab) -> None:
    _last_ack_lost(lab)
    _port_is_taken(lab)
    if lab.virtual:
        _old_duplicate(lab, timestamps=0)
        _old_duplicate(lab, timestamps=1)
    _assassination(lab, protected=False)
    _assassination(lab, protected=True)


def _last_ack_lost(lab: Lab) -> None:
    with lab.ground() as ground:
        path = Switch()
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
        client = ground.machine("client", "192.0.2.2", out=Chain(path, Delay(TRIP)))
        ours, theirs = lab.joined(ground, client, server, server.listen(80))
        ours.shutdown()
        ground.until(lambda: theirs.eof, 3)
        lab.say("The client has closed first. The server closes too, and the client's last ACK is lost.")
        path.on = False
        theirs.close()
        lab.become(ground, ours, TIME_WAIT, 3)
        waits = (ours.state, theirs.state)
        lab.claim("the server cannot know that its FIN has arrived", waits == (TIME_WAIT, LAST_ACK), titles(waits))
        lab.look(server, LAST_ACK)
        path.on = not lab.spoiled
        lab.say("It sends its FIN again; TIME-WAIT is there to acknowledge it.")
        over = lab.become(ground, theirs, CLOSED, 5)
        lab.claim("the FIN sent again is acknowledged from TIME-WAIT", over and ours.state is TIME_WAIT,
                  titles((ours.state, theirs.state)))  # fmt: skip
        ours.close()
        lab.fact("last ACK lost: last states", titles((ours.state, theirs.state)))
        lab.draw(ground, "TIME-WAIT acknowledges a FIN that comes again")


def _port_is_taken(lab: Lab) -> None:
    with lab.ground() as ground:
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP), tcp_timestamps=0)
        client = ground.machine("client", "192.0.2.2", out=Delay(TRIP), tcp_timestamps=0)
        door = server.listen(80)
        _close(lab, ground, *lab.joined_from(ground, client, server, door, 7000))
        lab.say("The same two sockets again, while the client still waits out 2 MSL (timestamps off).")
        error = _errno_of_connect(client, server, 7000)
        lab.look(client, TIME_WAIT)
        lab.claim("a socket pair in TIME-WAIT cannot be used again", error != 0, error_name(error))
        lab.fact("the pair used again, by connect()", error_name(error))
        if lab.virtual:
            ground.run(60)
            lab.claim("after 2 MSL (60 s) it can", _errno_of_connect(client, server, 7000) == 0)


def _old_duplicate(lab: Lab, *, timestamps: int) -> None:
    """Without TIME-WAIT: both ends forget at once, and the network does not."""
    with lab.ground(watch=False) as ground:
        seen = Memory()
        server = ground.machine("server", "192.0.2.1", out=Delay(TRIP), tcp_timestamps=timestamps)
        client = ground.machine("client", "192.0.2.2", out=Chain(seen, Delay(TRIP)), tcp_timestamps=timestamps)
        door = server.listen(80)
        ours, theirs = lab.joined_from(ground, client, server, door, 7000)
        lab.say(
            f"Timestamps {'on' if timestamps else 'off'}, and no TIME-WAIT: a fast connection ends by a reset, and the "
            "same two sockets are used again at once. The network then delivers what it still had of the old one."
        )
        _talk(ground, ours, theirs, OLD, TIMES)
        ours.abort()
        lab.become(ground, theirs, CLOSED, 3)
        old = seen.packets[:]
        ours, theirs = lab.joined_from(ground, client, server, door, 7000)
        got = _talk(ground, ours, theirs, NEW, 2)
        last = seen.segments[-1]
        room = [each for each in old if _fits(each, last)]
        for packet in room:
            ground.inject(packet)
        got += _talk(ground, ours, theirs, NEW, TIMES)
        taken = got.count(b"OLD!")
        name = "with timestamps" if timestamps else "without timestamps"
        lab.fact(f"an old duplicate, no TIME-WAIT, {name}", "taken" if taken else "refused")
        if timestamps:
            lab.claim("timestamps tell old from new (PAWS)", taken == 0, f"{taken * 4:,} octets of the old connection")
        else:
            lab.claim("octets of the old connection are read from the new one", taken > 0 and bool(room),
                      f"{taken * 4:,} octets")  # fmt: skip


def _assassination(lab: Lab, *, protected: bool) -> None:
    with lab.ground() as ground:
        seen = Memory()
        server = ground.machine("server", "192.0.2.1", out=Chain(seen, Delay(TRIP)), tcp_timestamps=0)
        client = ground.machine(
            "client", "192.0.2.2", out=Delay(TRIP), tcp_timestamps=0, tcp_rfc1337=protected and not lab.spoiled
        )
        door = server.listen(80)
        ours, theirs = lab.joined_from(ground, client, server, door, 7000)
        theirs.send(b"said long ago")
        ground.until(lambda: ours.readable > 0, 3)
        ours.receive()
        _close(lab, ground, ours, theirs)
        lab.say(f"tcp_rfc1337 = {int(protected)}: an old segment of the server's reaches the client's TIME-WAIT.")
        old = next(seg for seg in seen.segments if seg.data)
        ground.inject(segment(theirs.name, PSH | ACK, old.seq, old.ack, data=bytes(old.data)))
        ground.run(0.3)
        if protected:
            lab.claim("with tcp_rfc1337 a RST does not end TIME-WAIT", ours.state is TIME_WAIT, ours.state.title)
        else:
            lab.claim("its ACK is answered with a RST, which ends TIME-WAIT (assassination)", ours.state is CLOSED,
                      ours.state.title)  # fmt: skip
        lab.fact(f"after the RST, tcp_rfc1337 {int(protected)}", ours.state.title)
        lab.draw(ground, f"TIME-WAIT and a RST, tcp_rfc1337 = {int(protected)}")


def _fits(packet: Packet, last: Segment) -> bool:
    """Say whether an old segment's numbers could be those of a new one, after ``last``."""
    seg = packet.payload
    if not isinstance(seg, Segment) or not seg.data:
        return False
    ahead, behind = wrap(seg.seq - last.seq), wrap(last.ack - seg.ack)
    return 0 < ahead < WINDOW and behind < 2 * WINDOW


def _talk(ground: Ground, client: Line, server: Line, text: bytes, times: int) -> bytes:
    """Let the client say ``text`` so many times and the server repeat it; return what the server has read."""
    heard, left, echo = bytearray(), text * times, bytearray()
    back = 0

    def flows() -> bool:
        nonlocal left, back
        left = left[client.send(left) :] if left else left
        came = server.receive(1 << 20)
        heard.extend(came)
        echo.extend(came)
        del echo[: server.send(bytes(echo)) if echo else 0]
        back += len(client.receive(1 << 20))
        return back >= len(text) * times

    ground.until(flows, 5)
    return bytes(heard)


def _close(lab: Lab, ground: Ground, first: Line, second: Line) -> None:
    first.close()
    ground.until(lambda: second.eof, 3)
    second.close()
    lab.become(ground, second, CLOSED, 3)


def _errno_of_connect(client: Machine, server: Machine, port: int) -> int:
    try:
        client.connect(server.address, 80, local_port=port, so_reuseaddr=True)
    except OSError as error:
        return error.errno or 0
    return 0


INCIDENT = Incident(
    name="time-wait",
    summary="What the 2 MSL are for: a lost last ACK, old duplicates; and how a RST cuts them short.",
    theory=(
        "The end that closed first waits 2 MSL in TIME-WAIT (RFC 9293 §3.6.1), for two reasons. Its last ACK may be "
        "lost: then the other end, in LAST-ACK, sends its FIN again, and somebody must be there to acknowledge it. "
        "And segments of this connection may still be under way: a new connection between the same two sockets must "
        "not take them for its own.\n\n"
        "Initial sequence numbers grow with a clock (RFC 9293 §3.4.1, RFC 6528), so old octets lie below the new "
        "window, unless the old connection sent faster than the clock ticks. Timestamps close that gap: what is older "
        "than the newest timestamp is dropped (PAWS, RFC 7323 §5).\n\n"
        "An old segment in TIME-WAIT is answered with an ACK; the other end knows nothing any more and answers that "
        "with a RST. A RST ends TIME-WAIT, too early: assassination (RFC 1337 §1). With tcp_rfc1337 = 1 it is "
        "ignored.\n\n"
        "Linux's clock ticks every 64 ns, so a connection would have to send more than 15 MB a second all its life to "
        "be overtaken by its own past: that part is shown in virtual time, with RFC 6528's clock of 4 microseconds."
    ),
    run=_run,
    spoiled="the path stays cut, and tcp_rfc1337 is never set",
)
