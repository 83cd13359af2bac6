"""The SYN queue: what octets say of a half-open connection, and the order in which they fall due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.host.exchange import CLIENT, SERVER, SERVER_6, Peer, seconds
from tulpen.host.host import Host
from tulpen.host.isn import Numbers
from tulpen.host.packing import Packing
from tulpen.host.syn_queue import Pending, SynQueue
from tulpen.tcp.attributes import attributes
from tulpen.tcp.compact import Request
from tulpen.tcp.config import Settings
from tulpen.tcp.ecn_state import Ecn, Mode
from tulpen.tcp.negotiate import Terms
from tulpen.tcp.stack import Stack
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address
from tulpen.wire.segment import SYN

LOCAL = address(SERVER)
NUMBERS = Numbers(b"secret")
LISTENERS = [Host([SERVER]).listen(None, 80, 0) for _ in range(2)]
TERMS = st.builds(
    Terms, mss=st.integers(48, 65_535), scaling=st.booleans(), snd_shift=st.integers(0, 14),
    rcv_shift=st.integers(0, 14), sack=st.booleans(), timestamps=st.booleans(),
    plain=st.booleans(),
)  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["comes", "comes", "timeouts", "acknowledged", "goes"]), st.integers(1, 6), TERMS,
        st.sampled_from([0, 0, 7, NUMBERS.ts_offset(LOCAL, address(CLIENT))]),
        st.sampled_from([None, None, Mode.CLASSIC]),
    ),
    max_size=30,
)  # fmt: skip


def _said(pending: Pending) -> tuple[object, ...]:
    """Return all that an entry says."""
    r, terms = pending.request, pending.request.terms
    return (
        r.name, r.irs, r.iss, r.mss, r.wnd, r.ts_offset, r.began, r.acknowledged, r.answered_at, r.retransmits,
        r.deadline, r.ts_recent, None if r.ecn is None else r.ecn.mode, pending.listener,
        *(getattr(terms, name) for name in attributes(Terms)),
    )  # fmt: skip


@given(STEPS)
def test_it_is_a_dict_with_deadlines(steps: list[tuple[str, int, Terms, int, Mode | None]]) -> None:
    stack = Stack(Settings(tcp_synack_retries=3))
    queue, model = SynQueue(Packing((LOCAL,), NUMBERS)), dict[FourTuple, Pending]()
    now = 0
    for what, number, terms, offset, mode in steps:
        name = FourTuple(LOCAL, 80, address(CLIENT), number)
        now += seconds(0.3)
        if what == "comes" and name not in model:
            request = Request(
                name, irs=number, iss=(1 << 32) - number, mss=1460, terms=terms, wnd=number, ts_offset=offset, now=now,
                ts_recent=number << 20, ecn=None if mode is None else Ecn(mode),
            )  # fmt: skip
            model[name] = Pending(request, LISTENERS[number % 2], None, None)
            queue.add(Pending(request, LISTENERS[number % 2], None, None))
        elif what == "timeouts":
            while (due := queue.due(now)) is not None:
                ours = model[due.request.name]
                assert _said(due) == _said(ours)
                assert ours.request.deadline <= now
                lives = due.request.timed_out(stack, now)
                if due.request is not ours.request:
                    assert ours.request.timed_out(stack, now) is lives
                if lives:
                    queue.put_back(due)
                else:
                    queue.forget(due.request.name)
                    del model[due.request.name]
            assert all(each.request.deadline > now for each in model.values())
        elif what == "acknowledged" and (found := queue.get(name)) is not None:
            for pending in (found, model[name]):
                pending.request.acknowledged = True
                pending.request.answered_at = now
            queue.put_back(found)
        elif what == "goes":
            queue.forget(name)
            model.pop(name, None)
        assert sorted(queue) == sorted(model)
        assert len(queue) == len(model)
        for known in model:
            entry = queue.get(known)
            assert entry is not None
            assert _said(entry) == _said(model[known])
        assert queue.earliest() == min((each.request.deadline for each in model.values()), default=None)
        for listener in LISTENERS:
            theirs = [each.request.name for each in model.values() if each.listener is listener]
            assert sorted(each.request.name for each in queue.of(listener)) == sorted(theirs)


def test_the_entries_of_a_closed_listener_are_gone_and_its_number_is_another_ones() -> None:
    host = Host([SERVER, SERVER_6])
    for turn in range(3):
        listener = host.listen(None, 80, 0)
        peers = [Peer(host, sport=1025 + number) for number in range(3)]
        for peer in peers:
            (answer,) = peer.say("S", turn)
            assert answer.flags & SYN
        assert (len(host.core.requests), listener.syn_queue) == (3, 3)
        listener.close(turn)
        assert (len(host.core.requests), host.next_deadline()) == (0, None)
