"""Samples of how fast a path delivers (draft-cheng-iccrg-delivery-rate-estimation)."""

from __future__ import annotations

from tulpen.tcp.config import MS
from tulpen.tcp.flight import Flight, Sent

RTT = 100 * MS


def _send(flight: Flight, count: int, now: int, start: int = 1) -> list[Sent]:
    return [flight.transmitted(start + 1000 * each, start + 1000 * each + 1000, 1000, now) for each in range(count)]


def _deliver(flight: Flight, pieces: list[Sent], total: int, now: int, least: int = 0) -> None:
    for piece in pieces:
        flight.rate.arrived(piece)
    flight.sent = [piece for piece in flight.sent if piece not in pieces]
    flight.rate.sample(total, now, least)


def test_a_flight_in_a_round_trip() -> None:
    flight = Flight()
    _deliver(flight, _send(flight, 10, 0), 10, RTT)
    assert (flight.rate.delivered, flight.rate.interval, flight.rate.limited) == (10, RTT, False)


def test_the_longer_of_sending_and_acknowledging_counts() -> None:
    flight = Flight()
    first = _send(flight, 1, 0)
    last = _send(flight, 1, 3 * RTT, 1001)
    _deliver(flight, first + last, 2, 3 * RTT + MS)
    assert (flight.rate.delivered, flight.rate.interval) == (2, 3 * RTT + MS)
    later = _send(flight, 1, 10 * RTT, 2001)
    _deliver(flight, later, 3, 11 * RTT)
    assert (flight.rate.delivered, flight.rate.interval) == (1, RTT)  # the pause does not count


def test_acknowledgments_that_come_at_once_measure_nothing() -> None:
    flight = Flight()
    pieces = _send(flight, 4, 0)
    _deliver(flight, pieces[:2], 2, RTT, RTT)
    _send(flight, 2, RTT, 4001)
    _deliver(flight, pieces[2:], 4, RTT + 1, RTT)
    assert flight.rate.delivered == 4
    rest = list(flight.sent)
    _deliver(flight, rest, 6, RTT + 2, RTT + MS)  # sooner than any round trip was
    assert (flight.rate.delivered, flight.rate.interval) == (4, RTT + 1)


def test_what_the_application_limits_counts_only_if_it_is_more() -> None:
    flight = Flight()
    _deliver(flight, _send(flight, 10, 0), 10, RTT)
    flight.rate.app_limited(0)
    _deliver(flight, _send(flight, 2, RTT, 10_001), 12, 2 * RTT)
    assert (flight.rate.delivered, flight.rate.limited) == (10, False)
    flight.rate.app_limited(0)
    _deliver(flight, _send(flight, 20, 2 * RTT, 12_001), 32, 3 * RTT)
    assert (flight.rate.delivered, flight.rate.limited) == (20, True)
    _deliver(flight, _send(flight, 5, 3 * RTT, 32_001), 37, 4 * RTT)  # it is no limit any more
    assert (flight.rate.delivered, flight.rate.limited) == (5, False)


def test_what_is_sent_again_is_measured_from_then() -> None:
    flight = Flight()
    pieces = _send(flight, 2, 0)
    _deliver(flight, pieces[1:], 1, RTT)
    flight.retransmitted(pieces[0], 2 * RTT)
    _deliver(flight, pieces[:1], 2, 3 * RTT)
    assert (flight.rate.delivered, flight.rate.interval) == (1, 2 * RTT)


def test_a_copy_measures_alike() -> None:
    flight = Flight()
    _send(flight, 3, 0)
    twin = flight.clone()
    for each in (flight, twin):
        _deliver(each, list(each.sent), 3, RTT)
    assert (twin.rate.delivered, twin.rate.interval) == (flight.rate.delivered, flight.rate.interval) == (3, RTT)
