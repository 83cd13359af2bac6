"""The user's opens (RFC 9293 §3.10.1): listen() and connect()."""

from __future__ import annotations

from errno import EADDRNOTAVAIL, EINVAL, ENETUNREACH, ENOENT
from typing import TYPE_CHECKING, Final

from tulpen.host import fast_opening
from tulpen.host.fast_listening import limit_for
from tulpen.host.gate import no_unicast
from tulpen.host.listener import Listener
from tulpen.host.listening import REOPENED
from tulpen.host.ports import ANY, Claim, wildcard
from tulpen.host.settling import settle, tell_held
from tulpen.host.signing import signing_for
from tulpen.host.socket import Socket
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.congestion import ALGORITHMS
from tulpen.tcp.connection import Connection
from tulpen.tcp.errors import TcpError
from tulpen.tcp.keys import why_no_keys
from tulpen.tcp.trace import FourTuple
from tulpen.wire.seq import wrap

if TYPE_CHECKING:
    from tulpen.host.core import Core

PORTS: Final = 65_536


def bind(
    core: Core, address: bytes | None, port: int, now: int, options: SocketOptions, *, listening: bool = False
) -> Claim:
    """Hold a local port; no address: for all of them, port 0: any that is free."""
    where = ANY if address is None else address
    if where and where not in core.ours and where != wildcard(where):
        raise TcpError(EADDRNOTAVAIL, "the local address is not this host's")
    if not 0 <= port < PORTS:
        raise TcpError(EINVAL, "a port has 16 bits")
    if port == 0:
        port = core.ports.choose_unbound(where, now)
    claim = Claim(where, port, reuse=options.so_reuseaddr, shared=options.so_reuseport, listening=listening)
    core.ports.bind(claim)
    return claim


def listen(
    core: Core, address: bytes | None, port: int, now: int, backlog: int, options: SocketOptions | None
) -> Listener:
    """OPEN, passive."""
    options = _checked(core, SocketOptions() if options is None else options.clone())
    most = core.stack.settings.somaxconn
    backlog = most if backlog < 0 else min(backlog, most)
    options.tcp_fastopen = limit_for(options, core.stack.settings, backlog)
    claim = bind(core, address, port, now, options, listening=True)
    listener = Listener(core, claim, backlog, options)
    core.listeners.add(listener)
    return listener


def connect(
    core: Core, remote: bytes, port: int, now: int, local: bytes | None, local_port: int, options: SocketOptions | None,
    data: bytes | None = None,
) -> Socket:  # fmt: skip
    """OPEN, active; no local address: the host's first of that family (MUST-44), port 0: an ephemeral one.

    ``data``: by fast open (RFC 7413); as much of it as may goes with the SYN.  Empty: a cookie is asked for.
    """
    if data is not None:
        fast_opening.check_enabled(core)
    if no_unicast(remote):
        raise TcpError(ENETUNREACH, "an invalid remote address")  # MUST-46
    if not (0 < port < PORTS and 0 <= local_port < PORTS):
        raise TcpError(EINVAL, "remote socket unspecified" if port == 0 else "a port has 16 bits")
    options = core.option_sets.shared(_checked(core, SocketOptions() if options is None else options))
    source = _source(core, remote, local)
    claim = _claim(core, source, remote, port, local_port, options, now)
    name = FourTuple(source, claim.port, remote, port)
    signing = signing_for(options, remote)
    connection = Connection(
        core.stack, iss=_iss(core, name, now), mss=core.mss(name, options), name=name, options=options,
        ts_offset=core.ts_offset(name), ipv6=len(remote) == 16, signed=signing.room if signing is not None else 0,
    )  # fmt: skip
    connection.path_begins(core.path_mss(name, options, now), core.paths.route(remote), now)
    connection.tcb.gso_max = core.gso_max if signing is None else 0
    socket = Socket(core, connection, name, claim, accepted=True, signing=signing)
    core.connections[name] = socket
    room = 0
    if data is not None:
        fast = connection.tcb.fast_open = fast_opening.prepare(core, name, connection.tcb.mtu_mss, options, now)
        room = fast.room
    connection.open_active(now)
    if data and room:
        connection.send(memoryview(data)[:room], now)
    settle(core, socket, now)
    return socket


def takes_text(core: Core, remote: bytes, now: int, local: bytes | None, options: SocketOptions | None) -> bool:
    """Say whether the SYN to ``remote`` would take text along (RFC 7413 §4.2.1)."""
    own = SocketOptions() if options is None else options
    if not core.stack.settings.tcp_fastopen & fast_opening.CLIENT:
        return False
    return fast_opening.takes_text(core, _source(core, remote, local), remote, own, now)


def _checked(core: Core, options: SocketOptions) -> SocketOptions:
    """Return what the application asks for, if there is such a thing."""
    if (options.tcp_congestion or core.stack.settings.tcp_congestion_control) not in ALGORITHMS:
        raise TcpError(ENOENT, "no congestion control of that name")
    wrong = why_no_keys(options.tcp_md5sig, options.tcp_ao)
    if wrong:
        raise TcpError(EINVAL, wrong)
    return options


def _source(core: Core, remote: bytes, local: bytes | None) -> bytes:
    """Return the local address of a connection (MUST-43, MUST-44)."""
    if local is not None and local != wildcard(remote):
        if local not in core.ours or len(local) != len(remote):
            raise TcpError(EADDRNOTAVAIL, "the local address is not this host's")
        return local
    if remote in core.ours:
        return remote
    for address in core.addresses:
        if len(address) == len(remote):
            return address
    raise TcpError(ENETUNREACH, "no local address of the remote one's family")


def _claim(
    core: Core, local: bytes, remote: bytes, port: int, local_port: int, options: SocketOptions, now: int
) -> Claim:
    """Take a local port, so that the two sockets together are the name of no other connection."""

    def free(candidate: int) -> bool:
        return _free(core, FourTuple(local, candidate, remote, port), now)

    if local_port == 0:
        claim = Claim(local, core.ports.choose(local, remote, port, free), chosen=True)
        core.ports.take(claim)
        return claim
    claim = Claim(local, local_port, reuse=options.so_reuseaddr, shared=options.so_reuseport)
    core.ports.bind(claim)
    if not free(local_port):
        core.ports.release(claim)
        raise TcpError(EADDRNOTAVAIL, "connection already exists")
    return claim


def _free(core: Core, name: FourTuple, now: int) -> bool:
    if name in core.connections or name in core.requests:
        return False
    record = core.time_wait.get(name)
    return record is None or core.time_wait.reusable(record, now)


def _iss(core: Core, name: FourTuple, now: int) -> int:
    """Return an initial sequence number; above the old connection's, where one is opened over a TIME-WAIT."""
    if core.time_wait.get(name) is None:
        return core.numbers.isn(name, now)
    entry = core.time_wait.take(name)
    core.ports.release(entry.claim)
    core.stack.count("TWRecycled")
    tell_held(core, name)
    return wrap(entry.record.snd_nxt + REOPENED)
