"""Our StreamReader and asyncio's, fed and read alike, cannot be told apart."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tulpen.aio.reader import Reader

LIMIT = 64


class Valve:
    """What a reader pauses and resumes."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def pause_reading(self) -> None:
        self.log.append("pause")

    def resume_reading(self) -> None:
        self.log.append("resume")


piece = st.binary(max_size=200) | st.binary(min_size=500, max_size=1500)
steps = st.one_of(
    st.tuples(st.just("feed"), piece, st.sampled_from([bytes, bytearray, memoryview])),
    st.tuples(st.just("read"), st.integers(0, 2000)),
    st.tuples(st.just("readexactly"), st.integers(0, 300)),
    st.tuples(st.just("readuntil"), st.sampled_from([b"\n", b"\0\0", b"a"])),
    st.tuples(st.just("readline")),
)


async def play(reader: asyncio.StreamReader, script: list[Any]) -> tuple[bytes, list[Any], list[str]]:
    """Feed and read as the script says, then to the end; return all octets, errors, and the valve's log."""
    valve, got = Valve(), b""
    errors: list[Any] = []
    reader.set_transport(valve)  # type: ignore[arg-type]
    for name, *arguments in script:
        if name == "feed":
            reader.feed_data(arguments[1](arguments[0]))
            continue
        task = asyncio.ensure_future(getattr(reader, name)(*arguments))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        elif task.exception() is not None:
            errors.append(repr(task.exception()))
        elif name != "read":
            errors.append(bytes(task.result()))
            got += task.result()
        else:
            assert len(task.result()) <= arguments[0]
            got += task.result()
    reader.feed_eof()
    got += await reader.read(-1)
    assert reader.at_eof()
    return got, errors, valve.log


@given(st.lists(steps, max_size=30))
@settings(deadline=None)
def test_what_is_fed_is_read_as_from_asyncio(script: list[Any]) -> None:
    async def both() -> None:
        loop = asyncio.get_running_loop()
        ours = await play(Reader(LIMIT, loop), script)
        theirs = await play(asyncio.StreamReader(LIMIT, loop), script)
        assert ours == theirs

    asyncio.run(both())
