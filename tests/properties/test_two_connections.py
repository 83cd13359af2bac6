"""Two engines over a hostile network: every octet arrives in order, and both reach CLOSED, always."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.ends import MS, ON_TIME, ONE_WAY, SECOND, End, Run, User, options, patient, stack_of
from tulpen.tcp.congestion import ALGORITHMS
from tulpen.tcp.connection import Connection
from tulpen.tcp.state import CLOSED
from tulpen.wire.segment import CE, ECT_0, ECT_1, NOT_ECT

ISS = st.one_of(
    st.integers(0, 2**32 - 1),
    st.integers(2**32 - 3000, 2**32 - 1),
    st.integers(2**31 - 1500, 2**31 + 1500),
)
LATE = st.sampled_from([ONE_WAY, ONE_WAY + MS, 3 * ONE_WAY, 100 * MS, 300 * MS, 1 * SECOND, 3 * SECOND])
FATES = st.lists(
    st.one_of(st.just(ON_TIME), st.just(()), st.tuples(LATE), st.tuples(LATE, LATE)),
    max_size=60,
)
MARKS = st.lists(st.none() | st.sampled_from([NOT_ECT, ECT_1, ECT_0, CE, CE]), max_size=60)
BUFFERS = st.sampled_from([1, 2, 47, 500, 1460, 5000, 65_535, 200_000])


@st.composite
def ends(draw: st.DrawFn, name: str) -> End:
    receive_buffer, send_buffer = draw(BUFFERS), draw(BUFFERS)
    connection = Connection(
        stack_of(
            patient(
                tcp_timestamps=draw(st.sampled_from([0, 1])),
                tcp_sack=draw(st.booleans()),
                tcp_recovery=draw(st.sampled_from([0, 1, 1, 5, 7])),
                tcp_frto=draw(st.sampled_from([0, 2])),
                tcp_early_retrans=draw(st.sampled_from([0, 3])),
                tcp_reordering=draw(st.sampled_from([1, 3])),
                tcp_window_scaling=draw(st.booleans()),
                tcp_ecn=draw(st.sampled_from([0, 1, 2, 3, 4, 5])),
                tcp_ecn_option=draw(st.sampled_from([0, 1, 2])),
                tcp_ecn_fallback=draw(st.booleans()),
                tcp_initial_cwnd=draw(st.sampled_from([1, 2, 10])),
                tcp_rcvbuf_overhead=draw(st.booleans()),
                tcp_take_whole=draw(st.booleans()),
                tcp_shrink_window=draw(st.booleans()),
                tcp_rmem=(receive_buffer, receive_buffer, draw(st.sampled_from([receive_buffer, 6_291_456]))),
                tcp_wmem=(send_buffer, send_buffer, send_buffer),
            )
        ),
        iss=draw(ISS),
        mss=draw(st.sampled_from([48, 100, 536, 1460, 8960])),
        options=options(
            tcp_nodelay=draw(st.booleans()),
            tcp_quickack=draw(st.booleans()),
            tcp_cork=draw(st.booleans()),
            tcp_congestion=draw(st.sampled_from(sorted(ALGORITHMS))),
        ),
        ts_offset=draw(st.sampled_from([0, 2**32 - 100, 2**31 - 100])),
    )
    user = User(
        text=draw(st.binary(max_size=200)) * draw(st.sampled_from([0, 1, 1, 10])),
        writes=draw(st.sampled_from([1, 7, 100, 1 << 20])),
        reads=draw(st.sampled_from([1, 100, 1 << 20])),
        pause=draw(st.sampled_from([0, 0, MS, 50 * MS])),
        urgent=draw(st.booleans()),
        waits=draw(st.booleans()),
        lets_go=draw(st.booleans()),
    )
    return End(name, connection, user)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    a, b = draw(ends("A")), draw(ends("B"))
    if a.user.waits and b.user.waits:
        b.user.waits = False
    # A peer with one octet of room takes an octet a round trip.
    for sender, receiver in ((a, b), (b, a)):
        room = min(sender.settings.tcp_wmem[1], receiver.settings.tcp_rmem[1])
        sender.user.text = sender.user.text[: 100 * room]
    a.connection.open_active(0)
    if draw(st.booleans()):
        b.connection.open_active(0)
    else:
        b.connection.open_passive(0)
    return Run(a, b, draw(FATES), draw(MARKS))


def every_octet_arrives_and_both_close(run: Run) -> None:
    a, b = run.run().ends
    assert bytes(b.received) == a.user.text
    assert bytes(a.received) == b.user.text
    assert (a.connection.state, b.connection.state) == (CLOSED, CLOSED)
    assert (a.connection.error, b.connection.error) == (0, 0)
    assert (a.eof, b.eof) == (True, True)


quick = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
deep = settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(runs())
def test_every_octet_arrives_and_both_close(run: Run) -> None:
    every_octet_arrives_and_both_close(run)


@pytest.mark.slow
@deep
@given(runs())
def test_every_octet_arrives_and_both_close_deeper(run: Run) -> None:
    every_octet_arrives_and_both_close(run)


def what_arrives_is_a_prefix_and_both_end(run: Run, abort_a: int | None, abort_b: int | None) -> None:
    a, b = run.ends
    a.user.aborts_at, b.user.aborts_at = abort_a, abort_b
    for end in (a, b):
        end.connection.set_keepalive(True, 0)
    run.run()
    assert a.user.text.startswith(bytes(b.received))
    assert b.user.text.startswith(bytes(a.received))
    assert (a.connection.state, b.connection.state) == (CLOSED, CLOSED)
    for reader, writer in ((a, b), (b, a)):
        if reader.eof:
            assert bytes(reader.received) == writer.user.text[: writer.written]


ABORTS = st.none() | st.sampled_from([0, ONE_WAY, 25 * MS, 50 * MS, 200 * MS, 1 * SECOND, 5 * SECOND])


@quick
@given(runs(), ABORTS, ABORTS)
def test_aborted_at_any_time(run: Run, abort_a: int | None, abort_b: int | None) -> None:
    what_arrives_is_a_prefix_and_both_end(run, abort_a, abort_b)


@pytest.mark.slow
@deep
@given(runs(), ABORTS, ABORTS)
def test_aborted_at_any_time_deeper(run: Run, abort_a: int | None, abort_b: int | None) -> None:
    what_arrives_is_a_prefix_and_both_end(run, abort_a, abort_b)
