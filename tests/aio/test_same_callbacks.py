"""A protocol cannot tell tulpen's transport from asyncio's: the same callbacks, in the same order."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import pytest

from tests.aio.nets import on_the_kernel, on_tulpen
from tests.aio.recorder import BufferedRecorder, Recorder, connected


def echo(recorder: Recorder, data: bytes) -> None:
    recorder.transport.write(data)


async def echo_then_client_closes(net: Any) -> Any:
    pair = await connected(net, Recorder, lambda: Recorder(on_data=echo))
    pair.client.transport.write(b"hello")
    await pair.client.has(5)
    pair.client.transport.close()
    return await pair.end()


async def buffered_echo(net: Any) -> Any:
    pair = await connected(net, BufferedRecorder, lambda: Recorder(on_data=echo))
    pair.client.transport.write(b"hello")
    await pair.client.has(5)
    pair.client.transport.close()
    logs = await pair.end()
    return logs, pair.client.sizes


async def half_close_and_a_late_answer(net: Any) -> Any:
    def answer(recorder: Recorder) -> None:
        recorder.transport.write(b"you said " + bytes(recorder.received))
        recorder.transport.close()

    pair = await connected(net, Recorder, lambda: Recorder(keep_open=True, on_eof=answer))
    pair.client.transport.writelines([b"all ", b"of ", b"it"])
    pair.client.transport.write_eof()
    return await pair.end()


async def half_closed_transport_stays_open(net: Any) -> Any:
    pair = await connected(net, lambda: Recorder(keep_open=True), lambda: Recorder(keep_open=True))
    pair.client.transport.write_eof()
    await pair.server.logged("eof")
    states = [pair.server.transport.is_closing(), pair.server.transport.is_reading()]
    pair.server.transport.write(b"still here")
    await pair.client.has(10)
    pair.server.transport.write_eof()
    await pair.client.logged("eof")
    states += [pair.client.transport.is_closing(), pair.client.transport.is_reading()]
    pair.client.transport.close()
    pair.server.transport.close()
    return await pair.end(), states


async def server_closes_first(net: Any) -> Any:
    def bye(recorder: Recorder) -> None:
        recorder.transport.write(b"bye")
        recorder.transport.close()

    pair = await connected(net, Recorder, lambda: Recorder(on_made=bye))
    return await pair.end()


async def close_in_connection_made(net: Any) -> Any:
    pair = await connected(net, lambda: Recorder(on_made=lambda r: r.transport.close()), Recorder)
    return await pair.end()


async def closing_twice_and_aborting_then(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    for end in (pair.client.transport.close, pair.client.transport.close, pair.client.transport.abort):
        end()
    return await pair.end()


async def aborted(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.client.transport.abort()
    return await pair.end()


def reset(recorder: Recorder) -> None:
    sock = recorder.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    recorder.transport.abort()


async def reset_by_linger_0(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    reset(pair.client)
    return await pair.end()


async def reset_after_data(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.client.transport.write(b"last words")
    await pair.server.has(10)
    reset(pair.client)
    return await pair.end()


async def closed_with_data_unread(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.client.transport.pause_reading()
    pair.server.transport.write(b"never read")
    await asyncio.sleep(0.05)
    pair.client.transport.close()
    return await pair.end()


async def reset_is_not_noticed_while_paused(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.server.transport.pause_reading()
    reset(pair.client)
    await asyncio.sleep(0.05)
    before = list(pair.server.log)
    pair.server.transport.resume_reading()
    return before, await pair.end()


async def reset_is_noticed_by_writing(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.server.transport.pause_reading()
    reset(pair.client)
    await asyncio.sleep(0.05)
    pair.server.transport.write(b"anybody there?")
    pair.server.transport.write(b"no")
    return await pair.end()


async def eof_while_paused(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.server.transport.pause_reading()
    pair.client.transport.write(b"data")
    pair.client.transport.close()
    await asyncio.sleep(0.05)
    before = list(pair.server.log)
    pair.server.transport.resume_reading()
    return before, await pair.end()


async def pausing_in_data_received(net: Any) -> Any:
    pair = await connected(net, Recorder, lambda: Recorder(on_data=lambda r, _: r.transport.pause_reading()))
    pair.client.transport.write(b"one")
    await pair.server.has(3)
    pair.client.transport.write(b"two")
    await asyncio.sleep(0.05)
    before = [list(pair.server.log), pair.server.transport.is_reading()]
    pair.server.on_data = None
    pair.server.transport.resume_reading()
    await pair.server.has(6)
    pair.client.transport.close()
    return before, await pair.end()


async def pausing_and_resuming_twice(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    transport = pair.server.transport
    seen = []
    for call in (transport.pause_reading, transport.pause_reading, transport.resume_reading, transport.resume_reading):
        call()
        seen.append(transport.is_reading())
    pair.client.transport.write(b"heard")
    await pair.server.has(5)
    pair.client.transport.close()
    return seen, await pair.end()


async def raising_in_data_received(net: Any) -> Any:
    def fail(recorder: Recorder, data: bytes) -> None:
        raise LookupError("on purpose")

    pair = await connected(net, Recorder, lambda: Recorder(on_data=fail))
    pair.client.transport.write(b"x")
    return await pair.end()


async def raising_in_eof_received(net: Any) -> Any:
    def fail(recorder: Recorder) -> None:
        raise LookupError("on purpose")

    pair = await connected(net, Recorder, lambda: Recorder(on_eof=fail))
    pair.client.transport.write_eof()
    return await pair.end()


async def raising_in_connection_lost(net: Any) -> Any:
    class Last(Recorder):
        def connection_lost(self, error: Exception | None) -> None:
            super().connection_lost(error)
            raise LookupError("on purpose")

    pair = await connected(net, Recorder, Last)
    pair.client.transport.pause_reading()
    pair.server.transport.write(bytes(12 << 20))
    pair.server.transport.close()
    pair.client.transport.resume_reading()
    await pair.client.has(12 << 20)
    logs = await pair.end()
    return [entry[0] for entry in logs["client"]], logs["server"], len(logs["complaints"])


async def an_empty_buffer(net: Any) -> Any:
    pair = await connected(net, Recorder, lambda: BufferedRecorder(0))
    pair.client.transport.write(b"x")
    return await pair.end()


async def another_protocol_takes_over(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.client.transport.write(b"before")
    await pair.server.has(6)
    successor = Recorder()
    successor.transport = pair.server.transport
    pair.server.transport.set_protocol(successor)
    pair.client.transport.write(b"after")
    await successor.has(5)
    pair.client.transport.close()
    await successor.ended
    pair.listening.close()
    return pair.server.log, successor.log, pair.server.transport.get_protocol() in (successor, None)


async def misuse(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    transport = pair.client.transport
    said: list[Any] = []

    def attempt(call: Any, *args: Any) -> None:
        try:
            said.append(call(*args))
        except (TypeError, RuntimeError) as error:
            said.append((type(error), str(error).replace("writelines()", "write()")))  # as Python 3.11 says it

    attempt(transport.write, "text")
    attempt(transport.write, b"")
    attempt(transport.can_write_eof)
    attempt(transport.get_write_buffer_size)
    attempt(transport.get_write_buffer_limits)
    attempt(transport.get_extra_info, "no such", 7)
    transport.set_write_buffer_limits(high=1000)
    attempt(transport.get_write_buffer_limits)
    attempt(transport.write_eof)
    attempt(transport.write_eof)
    attempt(transport.write, b"after the end")
    attempt(transport.writelines, [b"after", b"the end"])
    transport.close()
    logs = await pair.end()
    return said, logs


async def writing_after_the_end(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    transport = pair.client.transport
    transport.abort()
    transport.write(b"into the void")
    return await pair.end()


async def what_is_written_may_be_changed_afterwards(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    data = bytearray(b"first")
    pair.client.transport.write(data)
    data[:] = b"wrong"
    pair.client.transport.write(memoryview(b"--second--")[2:8])
    pair.client.transport.close()
    return await pair.end()


SCENARIOS = [
    echo_then_client_closes,
    buffered_echo,
    half_close_and_a_late_answer,
    half_closed_transport_stays_open,
    server_closes_first,
    close_in_connection_made,
    closing_twice_and_aborting_then,
    aborted,
    reset_by_linger_0,
    reset_after_data,
    closed_with_data_unread,
    reset_is_not_noticed_while_paused,
    reset_is_noticed_by_writing,
    eof_while_paused,
    pausing_in_data_received,
    pausing_and_resuming_twice,
    raising_in_data_received,
    raising_in_eof_received,
    raising_in_connection_lost,
    an_empty_buffer,
    another_protocol_takes_over,
    misuse,
    writing_after_the_end,
    what_is_written_may_be_changed_afterwards,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_same_as_asyncio(scenario: Any) -> None:
    assert on_tulpen(scenario) == on_the_kernel(scenario)
