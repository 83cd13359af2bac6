"""nagle-delayed-ack: write, write, read, and 40 ms for nothing (RFC 9293 §3.7.4, §3.8.6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.incident import Incident
from tulpen.sim.filters import Delay

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Line

TRIP = 500_000  # nanoseconds one way
HEAD, BODY = b"h" * 20, b"b" * 30
ROUNDS = 30
STALL = 0.03  # seconds: less than a delayed ACK, far more than a round trip


def _run(lab: Lab) -> None:
    rows, curves = [], {}
    for title, nodelay, together in (
        ("write, write, read", 0, False),
        ("with TCP_NODELAY", 1, False),
        ("one write", 0, True),
    ):
        with lab.ground() as ground:
            server = ground.machine("server", "192.0.2.1", out=Delay(TRIP))
            client = ground.machine("client", "192.0.2.2", out=Delay(TRIP))
            ours, theirs = lab.joined(ground, client, server, server.listen(80))
            ours.set(tcp_nodelay=1 if lab.spoiled else nodelay)
            theirs.set(tcp_nodelay=1)
            lab.say(f"{title}: {ROUNDS} questions in two pieces, each answered when both have come.")
            took = [_question(ground, ours, theirs, together) for _ in range(ROUNDS)]
            stalls = sum(each > STALL for each in took)
            rows.append((title, stalls, round(1000 * sorted(took)[ROUNDS // 2], 2), round(1000 * max(took), 2)))
            curves[title] = [(float(number + 1), 1000 * each) for number, each in enumerate(took)]
            if nodelay or together:
                lab.claim(f"{title}: no question waits for a delayed ACK", min(took) < STALL, f"{stalls} stalls")
                lab.fact(f"{title}: more than half stall", stalls > ROUNDS / 2)
            else:
                lab.claim(
                    "Nagle's algorithm and delayed ACKs wait for each other", stalls > ROUNDS / 3, f"{stalls} stalls"
                )
                lab.fact(f"{title}: some stall", stalls > 0)
                lab.draw(ground, "The second piece waits for the ACK of the first, and that waits for an answer")
    lab.measured("Time from the first write to the answer", ("", "stalls", "median, ms", "worst, ms"), rows)
    lab.plot("Questions", "question", "milliseconds", curves)


def _question(ground: Ground, ours: Line, theirs: Line, together: bool) -> float:
    start, size = ground.seconds, len(HEAD + BODY)
    for piece in (HEAD + BODY,) if together else (HEAD, BODY):
        ours.send(piece)
    asked = 0

    def both() -> bool:
        nonlocal asked
        asked += len(theirs.receive())
        return asked == size

    ground.until(both, 5)
    theirs.send(b"answer")
    ground.until(lambda: ours.readable > 0, 5)
    ours.receive()
    return ground.seconds - start


INCIDENT = Incident(
    name="nagle-delayed-ack",
    summary="Write, write, read: Nagle's algorithm and the delayed ACK wait for each other, 40 ms each time.",
    theory=(
        "Nagle's algorithm holds a small segment back while an earlier one is unacknowledged (RFC 9293 §3.7.4). A "
        "receiver delays its ACK, hoping that an answer will take it along (§3.8.6.3, MUST-40: at most half a second; "
        "Linux 40 ms). A request written in two pieces meets both: the second piece waits for the ACK of the first, "
        "and the ACK for an answer that cannot be given before the second piece is here.\n\n"
        "The fix is one write (or writev, or TCP_CORK), or TCP_NODELAY, which sends more and smaller packets. Early "
        "in a connection Linux acknowledges at once, so the stall begins only after some exchanges."
    ),
    run=_run,
    spoiled="TCP_NODELAY is always set",
)
