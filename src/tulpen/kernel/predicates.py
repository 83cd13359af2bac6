"""What a filter can ask of one socket; each becomes a function of its row in a view."""

from __future__ import annotations

import operator
import socket
from collections.abc import Callable
from typing import Final

from tulpen.errors import TulpenError
from tulpen.kernel.view import View

Test = Callable[[int], bool]
Maker = Callable[[View], Test]

PORTS: Final = ("sport", "dport")
HOSTS: Final = ("src", "dst")
OTHERS: Final = ("user", "uid", "inode", "dev")
PROCESSES: Final = ("process", "pid")

_COMPARISONS: Final[dict[str, Callable[[int, int], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def port(subject: str, sign: str, value: str) -> Maker:
    """Compare a port: ``:443``, ``443``, ``https``."""
    compare, wanted = _COMPARISONS[sign], _port(value.rpartition(":")[2])

    def make(view: View) -> Test:
        ports = view.local_ports if subject == "sport" else view.remote_ports
        return lambda row: compare(ports[row], wanted)

    return make


def host(subject: str, value: str) -> Maker:
    """Ask for an address, a prefix, a port, or an address and a port: ``10.0.0.0/8``, ``[2001:db8::1]:443``."""
    address, number = _split(value)
    wanted = None if number in ("", "*") else _port(number)
    size, bits, network = (0, 0, 0) if address in ("", "*") else _prefix(address)

    def make(view: View) -> Test:
        local = subject == "src"
        ports = view.local_ports if local else view.remote_ports
        addresses = view.local_addresses if local else view.remote_addresses
        known: dict[bytes, bool] = {}

        def inside(octets: bytes) -> bool:
            found = known.get(octets)
            if found is None:
                mine = len(octets) == size and int.from_bytes(octets, "big") >> (8 * size - bits) == network
                found = known[octets] = mine
            return found

        if not size:
            return lambda row: wanted is None or ports[row] == wanted
        if wanted is None:
            return lambda row: inside(addresses[row])
        return lambda row: ports[row] == wanted and inside(addresses[row])

    return make


def other(subject: str, value: str) -> Maker:
    """Ask for the user, the inode, the interface (``dev``), the process by name or number."""
    if subject in ("user", "uid"):
        uid = _user(value)
        return lambda view: lambda row: view.uids[row] == uid
    if subject == "inode":
        inode = _number("inode", value)
        return lambda view: lambda row: view.inodes[row] == inode
    if subject == "dev":
        index = _interface(value)
        return lambda view: lambda row: view.interfaces[row] == index
    if subject == "pid":
        pid = _number("pid", value)
        return lambda view: _held(view, lambda each, _: each == pid)
    return lambda view: _held(view, lambda _, command: command == value[:15])


def _held(view: View, wanted: Callable[[int, str], bool]) -> Test:
    mine: set[int] = set()
    for process in view.processes.found if view.processes else ():
        if wanted(process.pid, process.command):
            mine.update(process.inodes)
    return lambda row: view.inodes[row] in mine


def _split(value: str) -> tuple[str, str]:
    """Return the address and the port of ``ADDRESS:PORT``, ``[ADDRESS]:PORT``, ``ADDRESS`` or ``:PORT``."""
    for prefix in ("inet6:", "inet:"):
        value = value.removeprefix(prefix)
    if value.startswith("["):
        address, closed, rest = value[1:].partition("]")
        bits, _, number = rest.partition(":")
        if not closed or (bits and not bits.startswith("/")):
            raise TulpenError(f"filter: {value!r} is no address", "an IPv6 address with a port: [2001:db8::1]:443")
        return address + bits, number
    if value.count(":") == 1:
        address, _, number = value.partition(":")
        return address, number
    return value, ""


def _prefix(text: str) -> tuple[int, int, int]:
    """Return the octets of an address, the bits of its prefix, and the prefix as a number."""
    address, slash, length = text.partition("/")
    for family, size in ((socket.AF_INET, 4), (socket.AF_INET6, 16)):
        try:
            octets = socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
        bits = _number("prefix", length) if slash else 8 * size
        if bits <= 8 * size:
            return size, bits, int.from_bytes(octets, "big") >> (8 * size - bits)
    raise TulpenError(f"filter: {text!r} is no address", "an address in numbers: 192.0.2.1, 10.0.0.0/8, 2001:db8::/32")


def _port(text: str) -> int:
    if _digits(text):
        number = int(text)
        if number <= 0xFFFF:
            return number
    else:
        try:
            return socket.getservbyname(text, "tcp")
        except (OSError, ValueError):
            pass
    raise TulpenError(f"filter: {text!r} is no port", "a number up to 65535, or a service of /etc/services")


def _user(text: str) -> int:
    if _digits(text):
        return int(text)
    import pwd

    try:
        return pwd.getpwnam(text).pw_uid
    except (KeyError, ValueError):
        raise TulpenError(f"filter: there is no user {text!r}", "a name of /etc/passwd, or a uid") from None


def _interface(text: str) -> int:
    try:
        return int(text) if _digits(text) else socket.if_nametoindex(text)
    except (OSError, ValueError):
        raise TulpenError(
            f"filter: there is no interface {text!r}", "its name or index, as `ip link` shows it"
        ) from None


def _number(subject: str, text: str) -> int:
    if not _digits(text):
        raise TulpenError(f"filter: {subject} takes a number, not {text!r}")
    return int(text)


def _digits(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 20
