"""What a program on a host looks like to whoever drives it: in virtual time, or over a link.

An ``Application`` is a host's program: it listens, connects, and is told every event
of every socket.  A ``Conversation`` is the part of it that lives on one connection.
``Server`` and ``Client`` are the applications that run conversations.  All of them are
sans-I/O: they act on the host they are given and say when they want to be woken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.host.socket import Socket
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal


class Application(Protocol):
    """A host's program."""

    def start(self, host: Host, now: int) -> None:
        """Begin: listen or connect."""

    def on(self, handle: Socket | Listener, signal: Signal, host: Host, now: int) -> None:
        """React to an event of a socket or a listener."""

    def deadline(self) -> int | None:
        """Say when ``timeout`` is to be called."""

    def timeout(self, now: int) -> None:
        """React to the deadline."""


class Conversation:
    """A program on one connection; the methods that a kind of conversation needs are its own."""

    socket: Socket

    def begin(self, socket: Socket, now: int) -> None:
        """Take the connection: an accepted one is open, one that we opened is not yet."""
        self.socket = socket

    def on(self, signal: Signal, now: int) -> None:
        """React to an event of the connection."""

    def failed(self, error: TcpError, now: int) -> None:
        """Learn that the connection could not even be begun."""

    def deadline(self) -> int | None:
        """Say when ``timeout`` is to be called."""
        return None

    def timeout(self, now: int) -> None:
        """React to the deadline."""


class _Conversations:
    """The conversations of one host, by socket, until the connection is over or its application has let go."""

    def __init__(self) -> None:
        self.all: list[Conversation] = []  # also those that have ended
        self._live: dict[Socket, Conversation] = {}
        self._timed: dict[Socket, Conversation] = {}  # those that may have deadlines

    def begin(self, conversation: Conversation, socket: Socket, now: int) -> None:
        self.all.append(conversation)
        self._live[socket] = conversation
        if type(conversation).deadline is not Conversation.deadline:
            self._timed[socket] = conversation
        conversation.begin(socket, now)
        self._forget_if_over(socket)

    def on(self, socket: Socket, signal: Signal, now: int) -> None:
        conversation = self._live.get(socket)
        if conversation is not None:
            conversation.on(signal, now)
            self._forget_if_over(socket, over=signal is Signal.CLOSED)

    def _forget_if_over(self, socket: Socket, *, over: bool = False) -> None:
        if over or socket.released:
            self._live.pop(socket, None)
            self._timed.pop(socket, None)

    def deadline(self) -> int | None:
        return min((when for c in self._timed.values() if (when := c.deadline()) is not None), default=None)

    def timeout(self, now: int) -> None:
        for conversation in list(self._timed.values()):
            when = conversation.deadline()
            if when is not None and when <= now:
                conversation.timeout(now)
                self._forget_if_over(conversation.socket)


class Server:
    """Listens on ``port`` and gives every connection a conversation of its own."""

    def __init__(
        self,
        port: int,
        make: Callable[[], Conversation],
        *,
        backlog: int = 128,
        options: SocketOptions | None = None,
    ) -> None:
        self.port = port
        self.make = make
        self.backlog = backlog
        self.options = options
        self.listener: Listener | None = None
        self._conversations = _Conversations()

    @property
    def conversations(self) -> list[Conversation]:
        """Every conversation so far, in the order of acceptance."""
        return self._conversations.all

    def start(self, host: Host, now: int) -> None:
        """Listen."""
        self.listener = host.listen(None, self.port, now, backlog=self.backlog, options=self.options)

    def on(self, handle: Socket | Listener, signal: Signal, host: Host, now: int) -> None:
        """Accept, or hand the event to its conversation."""
        if isinstance(handle, Socket):
            self._conversations.on(handle, signal, now)
        elif handle is self.listener and signal is Signal.READABLE:
            while (socket := handle.accept()) is not None:
                self._conversations.begin(self.make(), socket, now)

    def deadline(self) -> int | None:
        """Return the earliest deadline of a conversation."""
        return self._conversations.deadline()

    def timeout(self, now: int) -> None:
        """Wake the conversations that are due."""
        self._conversations.timeout(now)


class Client:
    """Connects to ``remote`` and ``port``, at once or at ``when``, and holds one conversation there."""

    def __init__(
        self,
        remote: str | bytes,
        port: int,
        conversation: Conversation,
        *,
        when: int | None = None,
        options: SocketOptions | None = None,
    ) -> None:
        self.remote = remote
        self.port = port
        self.conversation = conversation
        self.options = options
        self._when = when
        self._host: Host | None = None
        self._conversations = _Conversations()

    def start(self, host: Host, now: int) -> None:
        """Connect, unless that has its time."""
        self._host = host
        if self._when is None:
            self._connect(host, now)

    def _connect(self, host: Host, now: int) -> None:
        self._when = None
        try:
            socket = host.connect(self.remote, self.port, now, options=self.options)
        except TcpError as error:
            self.conversation.failed(error, now)
        else:
            self._conversations.begin(self.conversation, socket, now)

    def on(self, handle: Socket | Listener, signal: Signal, host: Host, now: int) -> None:
        """Hand the event to the conversation."""
        if isinstance(handle, Socket):
            self._conversations.on(handle, signal, now)

    def deadline(self) -> int | None:
        """Return when to connect, or the conversation's deadline."""
        return self._when if self._when is not None else self._conversations.deadline()

    def timeout(self, now: int) -> None:
        """Connect, or wake the conversation."""
        if self._when is not None and self._host is not None:
            self._connect(self._host, now)
        else:
            self._conversations.timeout(now)


class Together:
    """Several applications on one host."""

    def __init__(self, *applications: Application) -> None:
        self.applications = applications

    def start(self, host: Host, now: int) -> None:
        """Start all of them."""
        for each in self.applications:
            each.start(host, now)

    def on(self, handle: Socket | Listener, signal: Signal, host: Host, now: int) -> None:
        """Tell each; those that don't know the socket pass over it."""
        for each in self.applications:
            each.on(handle, signal, host, now)

    def deadline(self) -> int | None:
        """Return the earliest deadline."""
        return min((when for each in self.applications if (when := each.deadline()) is not None), default=None)

    def timeout(self, now: int) -> None:
        """Wake those that are due."""
        for each in self.applications:
            when = each.deadline()
            if when is not None and when <= now:
                each.timeout(now)
