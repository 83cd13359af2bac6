"""A complete TCP (RFC 9293) in Python, and what can be done with one.

The names here are loaded when they are first used, so that a program that needs one
part does not wait for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tulpen.aio import Interface, create_connection, create_server, open_connection, start_server
    from tulpen.capture.archive import read_each
    from tulpen.capture.reading import Reading, read
    from tulpen.errors import TulpenError
    from tulpen.host.host import Host
    from tulpen.link.namespace import NotPermitted, PrivateNetwork
    from tulpen.link.packet import PacketSocket
    from tulpen.link.pipe import pipe
    from tulpen.link.tee import Tee
    from tulpen.link.tun import Tun
    from tulpen.sim.world import World
    from tulpen.tcp.config import Settings, SocketOptions
    from tulpen.tcp.errors import TcpError
    from tulpen.tcp.keys import AoKey, Md5Key
    from tulpen.tcp.signals import Signal
    from tulpen.tcp.state import Event, State

__version__ = "0.1.0"

__all__ = [
    "AoKey",
    "Event",
    "Host",
    "Interface",
    "Md5Key",
    "NotPermitted",
    "PacketSocket",
    "PrivateNetwork",
    "Reading",
    "Settings",
    "Signal",
    "SocketOptions",
    "State",
    "TcpError",
    "Tee",
    "TulpenError",
    "Tun",
    "World",
    "create_connection",
    "create_server",
    "open_connection",
    "pipe",
    "read",
    "read_each",
    "start_server",
]

_HOME = {
    "tulpen.aio": ("Interface", "create_connection", "create_server", "open_connection", "start_server"),
    "tulpen.capture.archive": ("read_each",),
    "tulpen.capture.reading": ("Reading", "read"),
    "tulpen.errors": ("TulpenError",),
    "tulpen.host.host": ("Host",),
    "tulpen.link.namespace": ("NotPermitted", "PrivateNetwork"),
    "tulpen.link.packet": ("PacketSocket",),
    "tulpen.link.pipe": ("pipe",),
    "tulpen.link.tee": ("Tee",),
    "tulpen.link.tun": ("Tun",),
    "tulpen.sim.world": ("World",),
    "tulpen.tcp.config": ("Settings", "SocketOptions"),
    "tulpen.tcp.errors": ("TcpError",),
    "tulpen.tcp.keys": ("AoKey", "Md5Key"),
    "tulpen.tcp.signals": ("Signal",),
    "tulpen.tcp.state": ("Event", "State"),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for module, names in _HOME.items():
        if name in names:
            value: object = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'tulpen' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
