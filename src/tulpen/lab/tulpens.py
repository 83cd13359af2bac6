"""A machine with tulpen's TCP, for virtual time and for real time."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, final

from tulpen.errors import TulpenError
from tulpen.host.host import Host
from tulpen.show.ladder_trace import Witness, records_of
from tulpen.sim.station import Station
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.state import CLOSED
from tulpen.wire.address import text

if TYPE_CHECKING:
    from tulpen.host.listener import Listener
    from tulpen.host.socket import Socket
    from tulpen.host.status import Row
    from tulpen.lab.machine import Value
    from tulpen.sim.world import World
    from tulpen.tcp.signals import Signal
    from tulpen.tcp.state import State
    from tulpen.tcp.trace import FourTuple

_KEEPALIVE: Final = frozenset({"tcp_keepidle", "tcp_keepintvl", "tcp_keepcnt"})


@contextmanager
def _as_linux_says_it() -> Iterator[None]:
    try:
        yield
    except TcpError as error:
        raise OSError(error.errno, os.strerror(error.errno)) from None


@final
class _Idle:
    """The application of a machine whose programs are written in the incident."""

    def start(self, host: Host, now: int) -> None:
        """Do nothing."""

    def on(self, handle: Socket | Listener, signal: Signal, host: Host, now: int) -> None:
        """Do nothing: the incident looks when it wants to know."""

    def deadline(self) -> int | None:
        """Never."""
        return None

    def timeout(self, now: int) -> None:
        """Do nothing."""


@final
class TulpenLine:
    """A connection of a tulpen machine."""

    def __init__(self, machine: TulpenMachine, socket: Socket, left: bytes = b"") -> None:
        self.left = left  # what the SYN did not take along
        self._machine = machine
        self._host = machine.host  # as it was when the connection began
        self._socket = socket

    @property
    def name(self) -> FourTuple:
        """Both sockets, the own one first."""
        return self._socket.name

    @property
    def state(self) -> State:
        """Where it stands; CLOSED once it is gone, or its machine has lost its memory."""
        return self._socket.state if self._machine.host is self._host else CLOSED

    @property
    def error(self) -> int:
        """The errno it ended with, 0 for none."""
        return self._socket.error

    @property
    def readable(self) -> int:
        """Octets that wait to be received."""
        return self._socket.readable

    @property
    def unsent(self) -> int:
        """Octets sent or queued that the peer has not acknowledged."""
        return self._socket.unacknowledged

    @property
    def eof(self) -> bool:
        """Their FIN has come, and all before it has been received."""
        return self._socket.eof

    def send(self, data: bytes) -> int:
        """Send; return how many octets were taken."""
        with self._machine.acting() as now:
            return self._socket.send(data, now)

    def receive(self, limit: int = 65_536) -> bytes:
        """Receive what is there."""
        with self._machine.acting() as now:
            return bytes(self._socket.receive(limit, now))

    def shutdown(self) -> None:
        """Say that nothing more will be sent."""
        with self._machine.acting() as now:
            self._socket.shutdown(now)

    def close(self) -> None:
        """Let go of it."""
        with self._machine.acting() as now:
            self._socket.close(now)

    def abort(self) -> None:
        """Reset it."""
        with self._machine.acting() as now:
            self._socket.options.so_linger = 0
            self._socket.close(now)

    def set(self, **options: Value) -> None:
        """Set socket options."""
        socket = self._socket
        with self._machine.acting() as now:
            for name, value in options.items():
                setattr(socket.options, name, value)
                if name == "so_keepalive":
                    socket.set_keepalive(bool(value), now)
                elif name in _KEEPALIVE:
                    socket.keepidle_changed(now)
                elif name in {"tcp_nodelay", "tcp_cork"}:
                    socket.options_changed(now)
                elif name in {"so_rcvbuf", "tcp_window_clamp"}:
                    socket.receive_options_changed()
                elif name == "tcp_quickack":
                    socket.quick_ack(now, on=bool(value))

    def measure(self) -> Mapping[str, int]:
        """Return cwnd, mss, rtt and rto."""
        status = self._socket.status()
        mss = max(status.snd_mss, 1)
        return {
            "cwnd": status.snd_cwnd // mss, "mss": mss, "rtt": status.rtt // 1000, "rto": status.rto // 1000,
            "wscale": status.snd_wscale, "sack": int(status.sack),
        }  # fmt: skip


@final
class TulpenDoor:
    """A listening socket of a tulpen machine."""

    def __init__(self, machine: TulpenMachine, listener: Listener) -> None:
        self._machine = machine
        self._listener = listener

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.port

    @property
    def waiting(self) -> int:
        """Connections that wait to be accepted."""
        return self._listener.recv_q

    def accept(self) -> TulpenLine | None:
        """Take the connection that waits longest."""
        with self._machine.acting():
            socket = self._listener.accept()
        return None if socket is None else TulpenLine(self._machine, socket)

    def close(self) -> None:
        """Listen no more."""
        with self._machine.acting() as now:
            self._listener.close(now)


@final
class TulpenMachine:
    """A tulpen host."""

    kind = "tulpen"

    def __init__(
        self, world: World, name: str, address: str, *, mtu: int, trace: bool, encoded: bool, secret: bytes | None
    ) -> None:
        self.name = name
        self.address = address
        self._world = world
        self._mtu = mtu
        self._trace = trace
        self._boots = 0
        self._secret = secret
        self._settings = Settings()
        self.station = Station(self._boot(), _Idle(), encoded=encoded)
        self._records: list[Any] = []  # of the hosts that were before a reboot

    @property
    def host(self) -> Host:
        """The host as it is now."""
        return self.station.host

    def listen(self, port: int, *, backlog: int = 128, **options: Value) -> TulpenDoor:
        """Open a passive socket."""
        with self.acting() as now:
            listener = self.host.listen(None, port, now, backlog=backlog, options=_options(options))
        return TulpenDoor(self, listener)

    def connect(
        self, remote: str, port: int, *, local_port: int = 0, data: bytes | None = None, **options: Value
    ) -> TulpenLine:
        """Open an active socket."""
        with self.acting() as now:
            socket = self.host.connect(remote, port, now, local_port=local_port, options=_options(options), data=data)
            left = b"" if data is None else data[socket.unacknowledged :]
        return TulpenLine(self, socket, left)

    def set(self, **settings: Value) -> None:
        """Set sysctls; one that tulpen has not is an error of whoever asks."""
        for name, value in settings.items():
            setattr(self._settings, name, _fitting(name, getattr(self._settings, name, None), value))

    def get(self, setting: str) -> str:
        """Return a sysctl's value as Linux writes it."""
        value = getattr(self._settings, setting)
        if isinstance(value, tuple):
            return "\t".join(map(str, value))
        return str(int(value)) if isinstance(value, bool) else str(value)

    def rows(self) -> list[Row]:
        """Return every socket."""
        return self.host.status()

    def counters(self) -> Counter[str]:
        """Return the MIB; what was never counted is 0."""
        return Counter(self.host.counters())

    def reboot(self) -> None:
        """Come back with no memory of any connection."""
        self._records += self.host.stack.records or ()
        self.station.host = self._boot()

    def witness(self, line: FourTuple) -> Witness:
        """Return this end's trace of a connection."""
        records = [*self._records, *(self.host.stack.records or ())]
        return Witness(f"{self.name} (tulpen)", records_of(records, line), address=_socket(line))

    def note(self, line: FourTuple, now: int) -> None:
        """Look at nothing: there is a trace."""

    def close(self) -> None:
        """End it: there is nothing to give back."""

    @contextmanager
    def acting(self) -> Iterator[int]:
        """Let the program act now; what it brings about is sent afterwards."""
        with _as_linux_says_it():
            yield self._world.now
        self._world.poke()

    def _boot(self) -> Host:
        self._boots += 1
        secret = self._secret or self._world.chance.split(f"secret {self._boots} of {self.name}").octets(16)
        return Host([self.address], settings=self._settings, secret=secret, mtu=self._mtu, trace=self._trace)


def _options(given: Mapping[str, Value]) -> SocketOptions:
    return SocketOptions(**dict(given))  # type: ignore[arg-type]


def _fitting(name: str, before: object, value: Value) -> Value:
    if before is None:
        raise TulpenError(f"tulpen has no setting {name}", "tulpen explain lists what there is.")
    if isinstance(before, bool):
        return bool(int(value)) if isinstance(value, (int, str)) else bool(value)
    if isinstance(before, int) and isinstance(value, str):
        return int(value, 0)
    if isinstance(before, tuple) and isinstance(value, str):
        return tuple(int(each) for each in value.split())
    return value


def _socket(name: FourTuple) -> str:
    return f"{text(name.local)}:{name.local_port}"
