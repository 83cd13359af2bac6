"""``ip route``: what it says of the way to some addresses becomes a route of the host."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Final

from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.tcp.config import MS, SECOND
from tulpen.tcp.route import Route

_SETS: Final = ("add", "append", "change", "chg", "replace", "prepend")
_REMOVES: Final = ("del", "delete")
#: Words with a value that say by which way packets go: there is one here.
_WAYS: Final = frozenset(("via", "dev", "src", "proto", "protocol", "scope", "metric", "table", "tos", "dsfield"))


def is_ip_route(words: list[str]) -> bool:
    """Say whether a command is ``ip route``."""
    return _subject(words)[:1] in (["route"], ["r"], ["ro"])


def _subject(words: list[str]) -> list[str]:
    """Return the words behind ip and its options."""
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        rest = rest[1:]
    return rest


def prefix_and_route(words: list[str]) -> tuple[bytes, int, Route | None]:
    """Return prefix, its length, and what is said of it; None: the route is taken away."""
    action, *rest = _subject(words)[1:] or [""]
    if action not in _SETS + _REMOVES or not rest:
        raise Unsupported(f"the command '{' '.join(words)}'")
    try:
        network = ip_network(_prefix(rest[0], ipv6="-6" in words), strict=False)
        route = None if action in _REMOVES else _route(rest[1:])
    except (ValueError, IndexError):
        raise Mismatch(f"ip route: '{' '.join(words)}' is no route") from None
    return network.network_address.packed, network.prefixlen, route


def _prefix(word: str, *, ipv6: bool) -> str:
    if word == "default":
        return "::/0" if ipv6 else "0.0.0.0/0"
    return word


def _route(words: list[str]) -> Route:
    route, rest = Route(), list(words)
    while rest:
        name = rest.pop(0)
        if name in ("onlink", "unicast"):
            continue
        value = rest.pop(0)
        locked = value == "lock"
        if locked:
            value = rest.pop(0)
        if name == "mtu":
            route = replace(route, mtu=int(value), mtu_locked=locked)
        elif name == "advmss":
            route = replace(route, advmss=int(value))
        elif name == "initcwnd":
            route = replace(route, initcwnd=int(value))
        elif name == "hoplimit":
            route = replace(route, hoplimit=int(value))
        elif name == "rto_min":
            route = replace(route, rto_min=_time(value))
        elif name == "quickack":
            route = replace(route, quickack=bool(int(value)))
        elif name not in _WAYS:
            raise Unsupported(f"{name} of a route")
    return route


def _time(text: str) -> int:
    """Return nanoseconds: iproute2 counts in milliseconds where no unit is given."""
    for unit, factor in (("ms", MS), ("us", MS // 1000), ("s", SECOND)):
        if text.endswith(unit):
            return int(float(text.removesuffix(unit)) * factor)
    return int(text) * MS
