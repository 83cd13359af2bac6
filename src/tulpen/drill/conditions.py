"""What the ``--option`` lines of a script, and the command line, say of the test's world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any, Final

from tulpen.drill.problems import ScriptError, Unsupported
from tulpen.drill.script import Option
from tulpen.wire.address import address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tulpen.drill.script import Script

US: Final = 1_000

IPV4: Final = "ipv4"
MAPPED: Final = "ipv4-mapped-ipv6"
IPV6: Final = "ipv6"
VERSIONS: Final = (IPV4, MAPPED, IPV6)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Times in nanoseconds, addresses in octets."""

    ip_version: str = IPV4
    local: bytes = b""
    remote: bytes = b""
    bind_port: int = 8080
    connect_port: int = 8080
    mss: int = 0  # octets of what is injected come joined of segments of this size; 0: as one each
    mtu: int = 1500
    tolerance: int = 4_000 * US
    tolerance_percent: float = 12.5
    ts_tick: int = 0  # nanoseconds of a timestamp's tick; 0: timestamps are not compared
    ts_ecr_scaled: bool = False
    strict_segments: bool = False
    non_fatal: frozenset[str] = frozenset()

    @property
    def ipv6(self) -> bool:
        """Whether packets are IPv6."""
        return self.ip_version == IPV6


_LOCAL: Final = {IPV4: "192.168.0.1", MAPPED: "192.168.0.1", IPV6: "fd3d:fa7b:d17d::1"}
_REMOTE: Final = {IPV4: "192.0.2.1", MAPPED: "192.0.2.1", IPV6: "2001:db8::1"}

# What concerns devices, threads or the clock of a machine, of which there is none here.
_WITHOUT_MEANING: Final = frozenset((
    "code_command", "code_format", "code_sockopt", "debug", "define", "dry_run", "gateway_ip", "gateway_linklocal_ip",
    "init_scripts", "local_linklocal_ip", "netmask_ip", "no_cleanup", "persistent_tun_dev", "send_omit_free",
    "speed", "tun_dev", "verbose", "is_anyip",
))  # fmt: skip
_ADDRESSES: Final = {"local_ip": "local", "remote_ip": "remote"}
_NUMBERS: Final = {
    "bind_port": ("bind_port", 1),
    "connect_port": ("connect_port", 1),
    "mss": ("mss", 1),
    "mtu": ("mtu", 1),
    "tolerance_usecs": ("tolerance", US),
    "tcp_ts_tick_usecs": ("ts_tick", US),
}
_SWITCHES: Final = {"tcp_ts_ecr_scaled": "ts_ecr_scaled", "strict_segments": "strict_segments"}
_NEEDS: Final = {
    "psp_udp_port": "PSP encapsulation",
    "so_filename": "a TCP in a shared object",
    "so_flags": "a TCP in a shared object",
    "tcp_md5_secret": "TCP_MD5SIG",
    "udp_encapsulation": "TCP over UDP",
    **dict.fromkeys(
        ("wire_client", "wire_client_dev", "wire_server", "wire_server_at", "wire_server_dev", "wire_server_ip",
         "wire_server_port"), "a second machine",
    ),
}  # fmt: skip
_WITHOUT_VALUE: Final = frozenset((
    *_SWITCHES, "debug", "dry_run", "is_anyip", "no_cleanup", "persistent_tun_dev", "send_omit_free", "verbose",
    "wire_client", "wire_server",
))  # fmt: skip
_WITH_VALUE: Final = frozenset((
    *(_WITHOUT_MEANING - _WITHOUT_VALUE), *_ADDRESSES, *_NUMBERS, *(_NEEDS.keys() - _WITHOUT_VALUE), "ip_version",
    "non_fatal", "tolerance_percent",
))  # fmt: skip

#: All that packetdrill has, by name.
OPTIONS: Final = _WITHOUT_VALUE | _WITH_VALUE
#: How the names of scripts end that are for IPv6 alone.
ONLY_IPV6: Final = "v6.pkt"
_AS_LONG: Final = "1520"  # an MTU that leaves segments over IPv6 as long as IPv4's


def outer_options(script: Script, given: Mapping[str, str], *, as_long: bool) -> dict[str, str]:
    """Return what the command line says of a script.

    ``as_long``: one that does not say itself that it is for IPv6 is IPv4's, and its segments stay as long.
    """
    said = {option.name for option in script.options} | set(given)
    if not as_long or "mtu" in said or script.path.endswith(ONLY_IPV6) or _ip_version(script) == IPV6:
        return dict(given)
    return {**given, "mtu": _AS_LONG}


def _ip_version(script: Script) -> str | None:
    return next((option.value for option in reversed(script.options) if option.name == "ip_version"), None)


def conditions_of(script: Script, outer: Mapping[str, str]) -> Conditions:
    """Return the conditions; those of the command line outdo the script's own lines, as with packetdrill."""
    made = Conditions()
    for option in script.options:
        made = _with_option(made, option, script.path)
    for name, value in outer.items():
        made = _with_option(made, Option(name, value or None, 0, 0), script.path)
    version = made.ip_version
    if not made.local:
        made = replace(made, local=address(_LOCAL[version]))
    if not made.remote:
        made = replace(made, remote=address(_REMOTE[version]))
    if {len(made.local), len(made.remote)} != {16 if made.ipv6 else 4}:
        raise Unsupported(f"its addresses are not those of --ip_version={version}")
    return made


def _with_option(made: Conditions, option: Option, path: str) -> Conditions:
    complaint = ""
    if option.name not in _WITHOUT_VALUE | _WITH_VALUE:
        complaint = "an option nobody knows"
    elif option.value is None and option.name in _WITH_VALUE:
        complaint = "it takes a value"
    elif option.value is not None and option.name in _WITHOUT_VALUE:
        complaint = "it takes no value"
    if complaint:
        raise ScriptError(path, option.line, option.column, f"--{option.name}: {complaint}")
    return _with(made, option.name, option.value or "", path, option.line, option.column)


def _with(made: Conditions, name: str, value: str, path: str, line: int, column: int) -> Conditions:
    if name in _WITHOUT_MEANING:
        return made
    if name in _NEEDS:
        raise Unsupported(f"--{name}: {_NEEDS[name]}")
    try:
        return _changed(made, name, value.strip('"'))
    except ValueError:
        raise ScriptError(path, line, column, f"--{name}={value}: that is no value for it") from None


def _changed(made: Conditions, name: str, value: str) -> Conditions:
    if name == "ip_version":
        if value not in VERSIONS:
            raise ValueError(value)
        return replace(made, ip_version=value)
    change: dict[str, Any] = {}
    if name in _ADDRESSES:
        change[_ADDRESSES[name]] = ip_interface(value).ip.packed
    elif name in _NUMBERS:
        field_name, factor = _NUMBERS[name]
        change[field_name] = int(value) * factor
    elif name in _SWITCHES:
        change[_SWITCHES[name]] = True
    elif name == "tolerance_percent":
        change[name] = float(value)
    elif name == "non_fatal":
        change[name] = made.non_fatal | set(value.replace(",", " ").split())
    else:
        raise ValueError(name)
    return replace(made, **change)
