"""The queues of a connection beside the plainest model of each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tcp import invariants
from tulpen.tcp.flight import Flight
from tulpen.tcp.receiving import ReceiveQueue, whole
from tulpen.tcp.sending import SendQueue

START = 1000


@given(st.lists(st.one_of(st.binary(max_size=9000), st.integers(0, 9000)), max_size=20), st.data())
def test_what_was_queued_to_be_sent_is_found_again(deeds: list[bytes | int], data: st.DataObject) -> None:
    """Octets are appended; a number releases so many."""
    queue, octets, start = SendQueue(START), b"", START
    for deed in deeds:
        if isinstance(deed, bytes):
            queue.append(deed)
            octets += deed
        else:
            start = min(start + deed, START + len(octets))
            queue.release(start)
        assert (queue.start, queue.end, len(queue)) == (start, START + len(octets), START + len(octets) - start)
        left = data.draw(st.integers(start, START + len(octets)))
        right = data.draw(st.integers(left, START + len(octets)))
        assert bytes(queue.octets(left, right)) == octets[left - START : right - START]
        twin = queue.clone()
        twin.append(b"more")
        assert queue.end == START + len(octets)


@given(st.lists(st.one_of(st.binary(max_size=9), st.just("record"), st.integers(0, 9)), max_size=30), st.data())
def test_stretches(deeds: list[bytes | str | int], data: st.DataObject) -> None:
    """What is not yet sent lies in stretches without a gap; one is cut by what is sent, and none joins a record."""
    queue, ends, sent = SendQueue(START), set[int](), START
    for deed in deeds:
        if isinstance(deed, bytes):
            queue.append(deed, begin=data.draw(st.booleans()))
        elif isinstance(deed, str):
            queue.end_record()
            ends |= {queue.end} if sent < queue.end else set()
        else:
            sent = min(sent + deed, queue.end)
            queue.sent(sent)
        if len(queue.stretches) > 1 and not queue.stretches[0].record:
            queue.widen(data.draw(st.integers(1, 9)))
        for twin in (queue, queue.clone()):
            places = [stretch.end for stretch in twin.stretches]
            assert places == sorted(set(places))
            assert (places[-1] if places else sent) == queue.end
            assert all(place > sent for place in places)
            assert {stretch.end for stretch in twin.stretches if stretch.record} == {end for end in ends if end > sent}


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=40), st.data())
def test_text_in_any_order_is_received_as_it_was_sent(pieces: list[tuple[int, int]], data: st.DataObject) -> None:
    """Every piece is of one text; what lies before RCV.NXT is trimmed, as the connection does."""
    text = bytes(range(80))
    queue, nxt, read = ReceiveQueue(), START, b""
    held: set[int] = set()
    for place, length in pieces:
        seq, octets = START + place, text[place : place + length]
        if seq <= nxt:
            fresh = octets[nxt - seq :]
            queue.deliver(fresh)
            nxt = queue.fill(nxt + len(fresh), seq)
        else:
            queue.hold(seq, octets)
        held |= set(range(seq, seq + len(octets)))
        expected = START
        while expected in held:
            expected += 1
        assert nxt == expected
        assert {n for left, right in queue.latest(99) for n in range(left, right)} == {n for n in held if n >= nxt}
        if seq > nxt:
            assert queue.latest(1)[0][0] <= seq < queue.latest(1)[0][1]  # most recent first (RFC 2018 §4)
        invariants.queue_agrees(queue)
        taken = queue.take(data.draw(st.integers(0, 20)))
        read += whole(taken)
        assert read + b"".join(bytes(chunk) for chunk in queue.ready) == text[: nxt - START]
    twin = queue.clone()
    twin.forget_held()
    twin.take(99)
    invariants.queue_agrees(queue)


SEGMENT = 100


@given(
    st.integers(1, 12),
    st.lists(
        st.tuples(st.sampled_from(["ack", "sack", "lost", "again", "timeout", "renege"]), st.integers(0, 1300),
                  st.integers(0, 1300)),
        max_size=25,
    ),
)  # fmt: skip
def test_the_scoreboard(segments: int, deeds: list[tuple[str, int, int]]) -> None:
    """Each octet by itself: acknowledged, reported, or neither."""
    flight, end, una = Flight(), START + segments * SEGMENT, START
    reported: set[int] = set()
    for number in range(segments):
        flight.transmitted(START + number * SEGMENT, START + (number + 1) * SEGMENT, SEGMENT, number)
    for deed, first, second in deeds:
        left, right = START + min(first, second), START + max(first, second)
        if deed == "ack" and una < left <= end:
            known = {n for n in range(una, left) if n in reported}
            result = flight.acknowledge(left)
            assert sum(p.end - p.seq for p in result if not p.sacked) == left - una - len(known)
            una = left
        elif deed == "sack" and una < left < right <= end:
            whole = (p for p in flight.sent if left <= p.seq and p.end <= right)  # part of a segment is no news
            news = {n for p in whole for n in range(p.seq, p.end) if n not in reported}
            assert sum(piece.end - piece.seq for piece in flight.sack(left, right)) == len(news)
            reported |= news
        elif deed == "lost":
            flight.mark_lost(SEGMENT, 3)
        elif deed == "again" and (piece := flight.to_resend()) is not None:
            flight.retransmitted(piece, 99)
        elif deed == "timeout":
            for piece in flight.sent:
                flight.deem_lost(piece)
        elif deed == "renege":
            flight.forget_sacks()
            reported = set()
        invariants.flight_agrees(flight)
        assert flight.octets == end - una
        sacked = {n for piece in flight.sent if piece.sacked for n in range(piece.seq, piece.end)}
        assert sacked == {n for n in reported if n >= una}
        assert flight.pipe >= 0


@given(st.lists(st.integers(0, 11), max_size=12, unique=True))
def test_is_lost(reported: list[int]) -> None:
    """RFC 6675 §4, written out: three runs above, or more than two segments' octets."""
    flight = Flight()
    for number in range(12):
        flight.transmitted(number * SEGMENT, (number + 1) * SEGMENT, SEGMENT, 0)
    for number in reported:
        flight.sack(number * SEGMENT, (number + 1) * SEGMENT)
    flight.mark_lost(SEGMENT, 3)
    for number, piece in enumerate(flight.sent):
        above = [other for other in reported if other > number]
        runs = sum(other - 1 not in above for other in above)
        lost = number not in reported and (runs >= 3 or len(above) > 2)
        assert piece.lost is lost, number
