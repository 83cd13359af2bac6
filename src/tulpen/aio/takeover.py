"""Programs that ask the event loop itself for connections, run on a tulpen host without a change."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.aio.interface import Interface

METHODS: Final = ("create_connection", "create_server")


@contextmanager
def taking_over(interface: Interface) -> Iterator[None]:
    """Make the running loop's create_connection and create_server, and so asyncio's streams, those of ``interface``.

    Names are not resolved, and a program that makes its sockets itself is told that the kernel's
    cannot run here.  A loop whose methods cannot be replaced raises TypeError.
    """
    loop = interface.loop
    taken: list[str] = []
    try:
        for name in METHODS:
            try:
                setattr(loop, name, getattr(interface, name))
            except AttributeError:
                raise TypeError(
                    f"{name} of {type(loop).__name__} cannot be replaced; call the interface's own"
                ) from None
            taken.append(name)
        yield
    finally:
        for name in taken:
            delattr(loop, name)
