"""The explorer on small models whose answers are plain to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from tulpen.prove.explorer import Step, TooLarge, Violation, explore, nearest

Room = tuple[int, int]  # a number, and a set of keys found


class Corridor:
    """Rooms 0 to 4 in a row; a key lies in room 1, the door to room 4 needs it, and a slide leads from 2 to 0."""

    def __init__(self, *, trap: bool = False) -> None:
        self.trap = trap

    def starts(self) -> Iterable[Room]:
        return [(0, 0)]

    def place(self, state: Room) -> int:
        return state[0]

    def under_way(self, state: Room) -> int:
        return state[1]

    def all_lost(self, state: Room) -> Room:
        return state[0], 0

    def steps(self, state: Room) -> Iterable[Step[Room]]:
        room, keys = state
        if room == 9:
            return []
        steps: list[Step[Room]] = []
        if room < 3 or (room == 3 and keys):
            steps.append(("on", (room + 1, keys), True))
        if room and room < 4:
            steps.append(("back", (room - 1, keys), True))
        if room == 1:
            steps.append(("key", (room, 1), True))
        if room == 2:
            steps.append(("slide", (0, keys), True))
        if self.trap and room == 3:
            steps.append(("trap", (9, keys), True))
        return steps


def test_every_place_is_found_and_what_is_covered_is_not_looked_at_again() -> None:
    graph = explore(Corridor())
    assert graph.places == 5
    assert (4, 1) in graph.states
    assert (4, 0) not in graph.states
    assert len(graph.states) == len(set(graph.states))


def test_the_shortest_way_is_told() -> None:
    found = nearest(Corridor(), [lambda state: "at the end" if state[0] == 4 else None])
    assert found is not None
    assert found.path == ("on", "key", "on", "on", "on")
    assert nearest(Corridor()) is None
    assert str(found).startswith("at the end\n  1 on\n  2 key")


def test_what_cannot_go_on_is_found() -> None:
    def at_the_end(state: Room) -> bool:
        return state[0] == 4

    assert explore(Corridor()).cannot_reach(at_the_end) is None
    trapped = explore(Corridor(trap=True))
    stuck = trapped.cannot_reach(at_the_end)
    assert stuck is not None
    assert trapped.path(stuck)[-1] == "trap"
    assert trapped.cannot_reach(at_the_end, lambda state: state[0] != 9) is None


def test_a_step_that_must_not_be_is_the_end_of_the_way() -> None:
    class Broken(Corridor):
        def steps(self, state: Room) -> Iterable[Step[Room]]:
            if state[0] == 2:
                raise Violation("the floor gives way", "on")
            return super().steps(state)

    graph = explore(Broken())
    assert graph.violation is not None
    assert graph.violation.path[-2:] == ("on", "on")
    shortest = nearest(Broken())
    assert shortest is not None
    assert shortest.path == ("on", "on", "on")


def test_what_is_covered_when_its_turn_comes_is_not_looked_at() -> None:
    graph = explore(Corridor())
    assert graph.looked_at < len(graph.states)
    assert {state for number, state in enumerate(graph.states) if graph.stands(number)} == {
        (room, 1) for room in range(5)
    }


@pytest.mark.parametrize("look", [explore, nearest])
def test_a_graph_is_limited(look: Callable[..., object]) -> None:
    with pytest.raises(TooLarge):
        look(Corridor(), limit=3)


def test_graphs_that_are_alike_have_one_fingerprint() -> None:
    assert explore(Corridor(), drawn=True).fingerprint == explore(Corridor(), drawn=True).fingerprint
    assert explore(Corridor(), drawn=True).fingerprint != explore(Corridor(trap=True), drawn=True).fingerprint
    assert explore(Corridor()).fingerprint == ""
