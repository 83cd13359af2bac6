"""The application's handle of one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from tulpen.host.ports import Claim
from tulpen.host.settling import abort_lingering, settle
from tulpen.tcp.config import SECOND
from tulpen.tcp.connection import Connection
from tulpen.tcp.receiving import whole
from tulpen.tcp.resting import Resting
from tulpen.tcp.state import CLOSED, TIME_WAIT, State
from tulpen.wire.address import text

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.host.listener import Listener
    from tulpen.host.signing import Signing
    from tulpen.tcp.config import SocketOptions
    from tulpen.tcp.signals import Signal
    from tulpen.tcp.stamping import Stamp
    from tulpen.tcp.status import Status
    from tulpen.tcp.trace import FourTuple

REST_AFTER: Final = 1 * SECOND  # of silence; twice as long each time that it was woken
DOUBLINGS: Final = 6


@final
class Socket:
    """What connect() and accept() give.

    It stays good after the connection has left the host's tables: what was received can
    still be read, and it goes on telling the state and the error.
    """

    __slots__ = (
        "_claim", "_connection", "_core", "_has_own_options", "_woken", "accepted", "counted_by", "lingering", "name",
        "over", "received_tos", "released", "signing", "stirred",
    )  # fmt: skip

    def __init__(
        self, core: Core, connection: Connection, name: FourTuple, claim: Claim, *, accepted: bool,
        signing: Signing | None = None,
    ) -> None:  # fmt: skip
        self._core = core
        self._connection: Connection | Resting = connection
        self._woken = 0  # how often
        self.name = name
        self._claim = None if claim.chosen else claim
        self._has_own_options = False  # it shares them with others
        self.signing = signing  # None: its segments are not signed
        self.accepted = accepted  # the application has it; until then it is told nothing
        self.released = False  # the application has closed it, and is told nothing any more
        self.lingering = False  # a record in the TIME-WAIT table stands for the connection
        self.over = False  # ... or did
        self.stirred = False
        self.counted_by: Listener | None = None  # among its fast opens (RFC 7413 §5.1)
        self.received_tos = 0  # Diffserv field and ECN bits of the last packet that came (MAY-9)

    def __repr__(self) -> str:
        name = self.name
        ends = f"{text(name.local)}.{name.local_port} > {text(name.remote)}.{name.remote_port}"
        return f"<Socket {ends} {self.state.title}>"

    @property
    def connection(self) -> Connection:
        """The connection, awake."""
        connection = self._connection
        return connection if isinstance(connection, Connection) else self._wake(connection)

    @property
    def options(self) -> SocketOptions:
        """The socket options, its own; a change is obeyed from then on.  To be asked for each time: rest ends that."""
        tcb = self.connection.tcb
        if not self._has_own_options:
            tcb.options = tcb.options.clone()
            self._has_own_options = True
            if self.signing is not None:
                self.signing.options = tcb.options
        return tcb.options

    @property
    def claim(self) -> Claim:
        """What it holds of the local port."""
        if self._claim is not None:
            return self._claim
        return Claim(self.name.local, self.name.local_port, chosen=True)

    @property
    def resting(self) -> bool:
        """Whether the connection is at rest."""
        return isinstance(self._connection, Resting)

    def rest(self, now: int) -> bool:
        """Put the connection to rest if it has been quiet for long, and nothing waits; say whether it was."""
        connection = self._connection
        if self.signing is not None or self.stirred or self.lingering or not self.accepted:
            return False
        if isinstance(connection, Resting):
            return False
        tcb = connection.tcb
        if now - max(tcb.intake.heard_at, tcb.sent_at) < REST_AFTER << min(self._woken, DOUBLINGS):
            return False
        resting = self._core.dormitory.rest(connection)
        if resting is None:
            return False
        self._connection = resting
        self._has_own_options = False
        return True

    def _wake(self, resting: Resting) -> Connection:
        connection = self._connection = self._core.dormitory.wake(resting, self.name)
        self._woken += 1
        return connection

    @property
    def state(self) -> State:
        """The state, of RFC 9293 §3.3.2."""
        if not self.lingering:
            return self._connection.state
        return CLOSED if self.over or self._core.time_wait.get(self.name) is None else TIME_WAIT

    @property
    def error(self) -> int:
        """The errno the connection ended with, 0 for none (MUST-12)."""
        return self.connection.error

    @property
    def soft_error(self) -> int:
        """The errno of the last ICMP soft error, 0 for none (SHLD-25)."""
        return self.connection.soft_error

    @property
    def eof(self) -> bool:
        """Their FIN has arrived and everything before it has been received."""
        return self.connection.eof

    @property
    def readable(self) -> int:
        """Octets that wait to be received."""
        return 0 if isinstance(self._connection, Resting) else self._connection.readable

    @property
    def writable(self) -> int:
        """Octets that ``send`` would take now."""
        return self.connection.writable

    @property
    def unacknowledged(self) -> int:
        """Octets sent or queued that the peer has not acknowledged."""
        return 0 if isinstance(self._connection, Resting) else self._connection.unacknowledged

    @property
    def urgent(self) -> int:
        """Octets still to be received up to the end of urgent data (MUST-33)."""
        return self.connection.urgent

    @property
    def talks_early(self) -> bool:
        """It may send and receive although its handshake has not ended (RFC 7413 §4.2.2)."""
        return self.connection.talks_early

    def status(self) -> Status:
        """STATUS (§3.10.6)."""
        return self.connection.status()

    def send(
        self, data: bytes | bytearray | memoryview, now: int, *, push: bool = True, urgent: bool = False,
        eor: bool = False,
    ) -> int:  # fmt: skip
        """SEND (§3.10.2): return how many octets were taken; WRITABLE is signalled when there is room again.

        ``eor``: a record ends here, so that no segment carries octets of it and of what follows (MSG_EOR).
        """
        taken = self.connection.send(data, now, push=push, urgent=urgent, eor=eor)
        self._settle(now)
        return taken

    def receive(self, limit: int, now: int) -> bytes | memoryview:
        """RECEIVE (§3.10.3): return up to ``limit`` octets; empty: none yet, or the end (see ``eof``)."""
        return whole(self.receive_pieces(limit, now))

    def receive_pieces(self, limit: int, now: int) -> list[bytes | memoryview]:
        """Return what ``receive`` would, uncopied: in the pieces it came in."""
        pieces = self.connection.receive_pieces(limit, now)
        self._settle(now)  # there is room again: the peer may have to know
        return pieces

    def shutdown(self, now: int) -> None:
        """CLOSE (§3.10.4), shutdown(2) with SHUT_WR: no more from us; receiving goes on."""
        self.connection.shutdown(now)
        self._settle(now)

    def close(self, now: int) -> None:
        """close(2): CLOSE, and the application lets go; it is told nothing any more."""
        if self.released:
            return
        self.released = True
        if self.lingering:
            self._core.held.pop(self.name, None)
        else:
            self.connection.close(now)
            self._settle(now)

    def abort(self, now: int) -> None:
        """ABORT (§3.10.5): reset."""
        if self.lingering:
            abort_lingering(self._core, self)
        else:
            self.connection.abort(now)
            self._settle(now)

    def set_keepalive(self, on: bool, now: int) -> None:
        """SO_KEEPALIVE on an open connection (MUST-24)."""
        self.options.so_keepalive = on
        self.connection.set_keepalive(on, now)
        self._settle(now)

    def keepidle_changed(self, now: int) -> None:
        """TCP_KEEPIDLE has changed: the time since the peer was last heard counts."""
        self.connection.keepidle_changed(now)
        self._settle(now)

    def set_timestamping(self, flags: int) -> None:
        """SO_TIMESTAMPING, for what is sent: SOF_TIMESTAMPING_TX_SCHED, _TX_SOFTWARE, _TX_ACK and _OPT_ID."""
        self.connection.set_timestamping(flags)

    def next_stamp(self) -> Stamp | None:
        """Take the next entry of the error queue: what became of what was sent, and when."""
        return self.connection.next_stamp()

    def options_changed(self, now: int) -> None:
        """TCP_NODELAY or TCP_CORK have changed: text that they held back may go."""
        self.connection.options_changed()
        self._settle(now)

    def quick_ack(self, now: int, *, on: bool) -> None:
        """TCP_QUICKACK: for the moment, acknowledge at once, or wait for an answer to take the ACK along."""
        self.connection.quick_ack(on=on)
        self._settle(now)

    def receive_options_changed(self) -> None:
        """SO_RCVBUF or TCP_WINDOW_CLAMP have changed."""
        self.connection.receive_options_changed()

    def next_signal(self) -> Signal | None:
        """Return what the application is to be told next."""
        return self.connection.next_signal() if self.accepted and not self.released else None

    def _settle(self, now: int) -> None:
        if not self.lingering:
            settle(self._core, self, now)
