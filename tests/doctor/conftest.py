from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doctor.far import MANY, Far
from tests.doctor.room import Room
from tulpen.link.namespace import PrivateNetwork


@pytest.fixture
def room() -> Iterator[Room]:
    with PrivateNetwork() as network:
        yield Room(network)


@pytest.fixture
def far(room: Room) -> Iterator[Far]:
    with Far(room.network, addresses=MANY) as far:
        yield far
