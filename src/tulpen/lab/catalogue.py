"""The incidents by name, each loaded when it is asked for."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import TYPE_CHECKING, Final

from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.lab.incident import Incident

# name -> module; in the order in which they are told
MODULES: Final[dict[str, str]] = {
    "handshake": "handshake",
    "close": "close",
    "simultaneous-open": "simultaneous_open",
    "simultaneous-close": "simultaneous_close",
    "time-wait": "time_wait",
    "port-exhaustion": "port_exhaustion",
    "tw-recycle": "tw_recycle",
    "syn-flood": "syn_flood",
    "accept-queue": "accept_queue",
    "close-wait": "close_wait",
    "half-open": "half_open",
    "rst": "rst",
    "rst-injection": "rst_injection",
    "isn": "isn",
    "zero-window": "zero_window",
    "silly-window": "silly_window",
    "nagle-delayed-ack": "nagle_delayed_ack",
    "keepalive-race": "keepalive_race",
    "path-mtu-black-hole": "path_mtu_black_hole",
    "bufferbloat": "bufferbloat",
    "loss": "loss",
    "fast-open": "fast_open",
    "quic": "quic",
    "memory": "memory",
}


def named(name: str) -> Incident:
    """Return one incident.  Raises TulpenError for a name that there is not."""
    module = MODULES.get(name)
    if module is None:
        near = difflib.get_close_matches(name, MODULES, 1)
        raise TulpenError(
            f"there is no incident {name!r}", f"Did you mean {near[0]}?" if near else "tulpen lab lists them."
        )
    incident: Incident = import_module(f"tulpen.lab.incidents.{module}").INCIDENT
    return incident


def everything() -> Iterator[Incident]:
    """Yield all incidents."""
    return map(named, MODULES)
