"""One object for each set of socket options: nearly all connections of a host have the same."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields
from operator import attrgetter
from typing import Final, final

from tulpen.tcp.config import SocketOptions

MOST: Final = 256  # sets that are remembered
_CHOSEN: Final = attrgetter(*(each.name for each in fields(SocketOptions)))


@final
class OptionSets:
    """What it returns is shared, and must not be changed; who wants to has a clone of it."""

    __slots__ = ("_sets",)

    def __init__(self) -> None:
        self._sets: dict[Hashable, SocketOptions] = {}

    def shared(self, options: SocketOptions) -> SocketOptions:
        """Return the one object that equals ``options``."""
        chosen = _CHOSEN(options)
        found = self._sets.get(chosen)
        if found is None:
            if len(self._sets) >= MOST:
                self._sets.clear()
            found = self._sets[chosen] = options.clone()
        return found
