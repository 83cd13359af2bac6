"""RFC 6191 §2: which SYN may open a new connection over one in TIME-WAIT."""

from __future__ import annotations

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.notation import End
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, TIME_WAIT, Event


def lingering(*, timestamps: bool, now_on: int = 1) -> End:
    """TIME-WAIT; the peer's last timestamp was 50; ``now_on``: tcp_timestamps since then."""
    end = reach.closed(tcp_timestamps=int(timestamps))
    end.tcp.open_active(end.now)
    end.sent()
    stamp = "ts=50/0" if timestamps else ""
    end.arrives(f"S. seq=300 {stamp}")
    end.shutdown()
    end.arrives(f"F. {stamp}")
    assert end.state is TIME_WAIT
    end.stack.settings.tcp_timestamps = now_on
    end.signals()
    return end


@pytest.mark.requirement("SHLD-4", "MAY-2")
@pytest.mark.parametrize(
    ("because", "before", "syn", "reopens"),
    [
        ("a greater timestamp, whatever the number", True, "S seq=-5000 ts=51/0", True),
        ("the same timestamp and a greater number", True, "S seq=+0 ts=50/0", True),
        ("the same timestamp and an old number", True, "S seq=-1 ts=50/0", False),
        ("a smaller timestamp, whatever the number", True, "S seq=+5000 ts=49/0", False),
        ("no timestamp any more and a greater number", True, "S seq=+0", True),
        ("no timestamp any more and an old number", True, "S seq=-1", False),
        ("a timestamp now and none before", False, "S seq=-5000 ts=1/0", True),
        ("none, and a greater number", False, "S seq=+0", True),
        ("none, and an old number", False, "S seq=-1", False),
    ],
)
def test_the_rules(because: str, before: bool, syn: str, reopens: bool) -> None:
    end = lingering(timestamps=before)
    answer = end.arrives(syn)
    assert (end.state is CLOSED) is reopens, because
    assert answer == ([] if reopens else [". seq=+0 ack=+0"])
    if reopens:
        assert end.moves()[-1].event is Event.LINGERED
        assert end.signals() == [Signal.CLOSED]
        assert end.tcp.next_deadline() is None


@pytest.mark.parametrize(("syn", "reopens"), [("S seq=-5000 ts=51/0", False), ("S seq=+1 ts=49/0", True)])
def test_timestamps_that_the_new_connection_would_not_have_decide_nothing(syn: str, reopens: bool) -> None:
    end = lingering(timestamps=True, now_on=0)
    end.arrives(syn)
    assert (end.state is CLOSED) is reopens


@pytest.mark.parametrize("text", ["S. seq=+5000", "SF seq=+5000", "SR seq=+5000", ". seq=+5000", "F seq=+5000"])
def test_nothing_but_a_plain_syn(text: str) -> None:
    end = lingering(timestamps=False)
    end.arrives(text)
    assert end.state is TIME_WAIT
