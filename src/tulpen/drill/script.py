"""A script as values: its options, and events in the order of the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from tulpen.drill.expression import Expression
    from tulpen.drill.tcp_option import TcpOption

SECOND: Final = 1_000_000_000  # times are nanoseconds


@dataclass(frozen=True, slots=True)
class Time:
    """When: at a time, after the event before it, within a range, or (``any``) whenever."""

    start: int = 0
    end: int | None = None
    relative: bool = False
    any: bool = False


@dataclass(frozen=True, slots=True)
class IpInfo:
    """What is said of the internet header; None: nothing."""

    tos: int | None = None
    mask: int = 0xFF  # the bits of ``tos`` that are said
    ect01: bool = False  # ECT(0) or ECT(1)
    ttl: int | None = None
    flow_label: int | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """A header around the packet, by name: ``ipv4``, ``gre``, ``mpls``, ``psp``, ``udp``."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class TcpPacket:
    """A TCP segment to inject or to expect."""

    outbound: bool
    flags: int
    seq: int | None  # None: any
    length: int
    ack: int
    wnd: int | None  # None: any
    urg: int
    options: tuple[TcpOption, ...] | None  # None: any
    ip: IpInfo = IpInfo()
    ports: tuple[int, int] | None = None
    absolute: bool = False  # seq is as on the wire
    ace: bool = False  # the three ECN bits were given as the number of AccECN
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True)
class UdpPacket:
    """A UDP datagram."""

    outbound: bool
    length: int
    ip: IpInfo = IpInfo()
    ports: tuple[int, int] | None = None
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True)
class IcmpPacket:
    """An ICMP message; ``about`` is the segment or datagram that an error quotes."""

    outbound: bool
    type: str
    code: str | None = None
    mtu: int | None = None
    ident: int = 0
    protocol: str = "tcp"  # of what is quoted: tcp, udp, raw
    seq: int = 0
    length: int = 0
    ip: IpInfo = IpInfo()
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A system call and what it is expected to return."""

    name: str
    arguments: tuple[Expression, ...]
    result: Expression
    errno: str | None = None
    note: str = ""
    end: int | None = None  # it blocks, and returns then

    def __str__(self) -> str:
        errno = "" if self.errno is None else f" {self.errno}"
        return f"{self.name}({', '.join(map(str, self.arguments))}) = {self.result}{errno}"


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the shell."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Python over the state of the connection."""

    text: str


Packet: TypeAlias = TcpPacket | UdpPacket | IcmpPacket
Action: TypeAlias = Packet | Call | Command | Code


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens or is expected."""

    time: Time
    action: Action
    line: int
    column: int
    text: str = ""  # as written


@dataclass(frozen=True, slots=True)
class Option:
    """``--name`` or ``--name=value`` at the top."""

    name: str
    value: str | None
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script."""

    path: str
    options: tuple[Option, ...]
    set_up: Command | None
    events: tuple[Event, ...]
    clean_up: Command | None
    lines: tuple[str, ...] = ()
