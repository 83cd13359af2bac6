"""loss: several segments of one window, repaired in one round trip or in many (RFC 2018, RFC 6582, RFC 8985)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.lab.holes import Holes
from tulpen.lab.incident import Incident
from tulpen.sim.filters import Chain, Delay

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab

TRIP = 50_000_000  # nanoseconds one way
TEXT = bytes(120_000)
LOST = (12, 14, 16, 18, 20, 22, 24, 26, 28, 30)  # which segments with text, from the first


def _run(lab: Lab) -> None:
    rows, took = [], {}
    for title, congestion, sack, recovery, lost in (
        ("no loss", "cubic", 1, 1, ()),
        ("CUBIC, SACK, RACK", "cubic", 1, 1, LOST),
        ("NewReno, SACK, RACK", "reno", 1, 1, LOST),
        ("NewReno, SACK without RACK", "reno", 1, 0, LOST),
        ("NewReno without SACK", "reno", 0, 0, LOST),
    ):
        with lab.ground() as ground:
            holes = Holes(() if lab.spoiled else lost)
            settings = {"tcp_sack": sack, "tcp_recovery": recovery}
            server = ground.machine("server", "192.0.2.1", out=Delay(TRIP), tcp_sack=sack)
            client = ground.machine("client", "192.0.2.2", out=Chain(holes, Delay(TRIP)), **settings)  # type: ignore[arg-type]
            door = server.listen(80)
            ours = client.connect(server.address, 80, tcp_congestion=congestion)
            theirs = lab.accept(ground, door)
            start, left, got = ground.seconds, TEXT[ours.send(TEXT) :], 0

            def all_there() -> bool:
                nonlocal left, got
                left = left[ours.send(left) :] if left else left  # noqa: B023 (called within this turn alone)
                got += len(theirs.receive(1 << 20))  # noqa: B023
                return got >= len(TEXT)

            whole = ground.until(all_there, 20)
            took[title] = ground.seconds - start
            lab.say(f"{title}: {took[title]:.2f} s.")
            lab.claim(f"{title}: all arrives", whole, f"{got:,} octets")
            rows.append((title, round(took[title], 2), round(len(TEXT) / took[title] / 1000), len(lost)))
            if title == "NewReno without SACK":
                lab.draw(ground, "Without SACK each partial ACK tells of one hole")
    with_sack, without = took["NewReno, SACK, RACK"], took["NewReno without SACK"]
    lab.claim("with SACK all holes are repaired at once; without, one in a round trip", without > with_sack + 0.05,
              f"{with_sack:.2f} s and {without:.2f} s")  # fmt: skip
    lab.measured("120 kB, 100 ms round trip, ten segments of one window lost", ("", "seconds", "kB/s", "lost"), rows)


INCIDENT = Incident(
    name="loss",
    summary="Ten segments of one window are lost: NewReno and CUBIC, with SACK and RACK and without.",
    theory=(
        "Without SACK an ACK says only up to where all has come. After a loss the first ACK that is not a duplicate "
        "shows the next hole: one hole in a round trip (NewReno, RFC 6582). With SACK (RFC 2018) the sender knows all "
        "holes at once and repairs them in one round trip (RFC 6675); RACK finds them by time instead of by counting "
        "three duplicates, and a lost repair too (RFC 8985)."
    ),
    run=_run,
    spoiled="nothing is lost",
)
