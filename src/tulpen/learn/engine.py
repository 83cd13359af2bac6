"""tulpen's own host as a subject, in virtual time."""

from __future__ import annotations

from typing import Final, final

from tulpen import __version__
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.host.socket import Socket
from tulpen.learn.alphabet import LETTERS, Kind
from tulpen.learn.peer import Peer
from tulpen.learn.subject import REFUSED
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.state import CLOSED, LISTEN, State
from tulpen.tcp.trace import FourTuple
from tulpen.wire.ip import Packet
from tulpen.wire.segment import Segment

LOCAL: Final = bytes((192, 0, 2, 1))
REMOTE: Final = bytes((192, 0, 2, 2))
_PORT: Final = 80
_PEER_PORT: Final = 40_000
_STEP: Final = 1_000_000  # nanoseconds between two inputs: shorter than any timer


def basic_settings() -> Settings:
    """Return the settings under which the machine is small and the same every time.

    No options, no limit on challenge ACKs, no probe that only time would explain, few
    retransmissions; what a state is does not depend on any of them.
    """
    return Settings(
        tcp_timestamps=0,
        tcp_sack=False,
        tcp_window_scaling=False,
        tcp_syncookies=0,
        tcp_fastopen=0,
        tcp_invalid_ratelimit=0,
        tcp_early_retrans=0,
        tcp_syn_retries=1,
        tcp_synack_retries=1,
        tcp_retries1=1,
        tcp_retries2=1,
        tcp_orphan_retries=1,
    )


@final
class Engine:
    """A new host for every query."""

    __slots__ = ("_child", "_host", "_listener", "_now", "_opened", "_peer", "name", "settings")

    def __init__(self, settings: Settings | None = None) -> None:
        self.name = f"tulpen {__version__}"
        self.settings = basic_settings() if settings is None else settings
        self.begin()

    def begin(self) -> None:
        """Make a host."""
        self._host = Host([LOCAL], settings=self.settings)
        self._peer = Peer(_PEER_PORT, _PORT)
        self._now = 0
        self._opened = False
        self._listener: Listener | None = None
        self._child: Socket | None = None

    def step(self, letter: str) -> str:
        """Give one input."""
        row = LETTERS[letter]
        self._now += _STEP
        refused = False
        if row.kind is Kind.SEGMENT:
            self._host.packet_arrives(Packet(REMOTE, LOCAL, self._peer.segment(row)), self._now)
        else:
            self._peer.called(row)
            refused = not (self._wait() if row.kind is Kind.CLOCK else self._call(letter))
        answers = [packet.payload for packet in self._host.packets_to_send(self._now)]
        if self._listener is not None:
            self._child = self._listener.accept() or self._child
        words = self._peer.words([each for each in answers if isinstance(each, Segment)])
        return words + REFUSED if refused else words

    def state(self) -> str:
        """Return the state of the connection, or that of the listener behind it."""
        return self._state().title

    def end(self) -> None:
        """Forget the host."""

    def close(self) -> None:
        """Forget the host."""

    def _state(self) -> State:
        core = self._host.core
        name = FourTuple(LOCAL, _PORT, REMOTE, _PEER_PORT)
        socket = core.connections.get(name)
        if socket is not None and socket.state is not CLOSED:
            return socket.state
        if name in core.requests:
            return State.SYN_RECEIVED
        if core.time_wait.get(name) is not None:
            return State.TIME_WAIT
        return CLOSED if self._listener is None or not self._listener.open else LISTEN

    def _wait(self) -> bool:
        """Let the next timer run out; one that was only put off runs out again."""
        deadline = self._host.next_deadline()
        if deadline is None:
            return False
        self._now = max(self._now, deadline)
        self._host.timeout(self._now)
        return True

    def _call(self, call: str) -> bool:
        """Do what the user does; say whether it was taken."""
        try:
            return self._open(call) if call in ("LISTEN", "CONNECT") else self._act(call)
        except TcpError:
            return False

    def _open(self, call: str) -> bool:
        if self._opened:
            return False
        self._opened = True
        options = SocketOptions(tcp_quickack=True)
        if call == "LISTEN":
            self._listener = self._host.listen(LOCAL, _PORT, self._now, options=options)
        else:
            self._child = self._host.connect(
                REMOTE, _PEER_PORT, self._now, local=LOCAL, local_port=_PORT, options=options
            )
        return True

    def _act(self, call: str) -> bool:
        child, now = self._child, self._now
        if call in ("CLOSE", "ABORT"):
            return self._let_go(call)
        if child is None:
            return False
        if call == "SHUT":
            child.shutdown(now)
        elif call == "SEND":
            return child.send(b"x", now) == 1
        elif not child.readable:
            return child.eof
        else:
            child.receive(1 << 16, now)
        return True

    def _let_go(self, call: str) -> bool:
        child, listener = self._child, self._listener
        if child is None and listener is None:
            return False
        self._child = self._listener = None
        if listener is not None:
            listener.close(self._now)
        if child is not None and child.state is not CLOSED:
            (child.abort if call == "ABORT" else child.close)(self._now)
        return True
