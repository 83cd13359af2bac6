"""Descriptors that go from process to process."""

from __future__ import annotations

import os
import socket

from tulpen.link import message


def test_what_is_given_is_the_receivers_alone() -> None:
    reader, writer = os.pipe()
    sender, receiver = socket.socketpair()
    with sender, receiver:
        message.give(sender, "a pipe", (writer,))
        value, fds = message.receive(receiver)
        assert value == "a pipe"
        os.close(fds[0])
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_what_is_sent_is_a_copy() -> None:
    reader, writer = os.pipe()
    sender, receiver = socket.socketpair()
    with sender, receiver:
        message.send(sender, None, (writer,))
        _, fds = message.receive(receiver)
        os.close(fds[0])
    os.write(writer, b"x")
    assert os.read(reader, 1) == b"x"
    os.close(reader)
    os.close(writer)
