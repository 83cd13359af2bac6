from __future__ import annotations

from tulpen.link.buffers import Buffers


def test_a_buffer_is_in_use_while_anybody_has_a_view_of_it() -> None:
    buffers = Buffers(100, count=2)
    first = buffers.free()
    assert first is not None
    view = memoryview(first)[10:20]
    del first
    second = buffers.free()
    assert second is not None
    assert second is not view.obj
    part = memoryview(second)[:50][5:]
    del second
    assert buffers.free() is None
    del part
    again = buffers.free()
    assert again is not None
    assert again is not view.obj


def test_a_buffer_that_nobody_views_is_given_again() -> None:
    buffers = Buffers(100, count=4)
    seen = set()
    for _ in range(8):
        buffer = buffers.free()
        assert buffer is not None
        seen.add(id(buffer))
        copied = bytes(memoryview(buffer)[:10])
        del buffer
        assert copied == bytes(10)
    assert len(seen) == 1
