"""Makes the inside of a private network around the calling process: namespaces, a device, addresses.

Only ever run in a process of its own (see keeper.py): it cannot be undone.
"""

from __future__ import annotations

import contextlib
import os
import time
from errno import EACCES, EAFNOSUPPORT, EINVAL, ENODEV, ENOENT, ENXIO, EOPNOTSUPP, EPERM, EROFS
from typing import Final, NamedTuple

from tulpen.link import devices, proc
from tulpen.link.rtnetlink import Rtnetlink
from tulpen.link.syscalls import CLONE_NEWNET, CLONE_NEWUSER, unshare

NAME: Final = "tulpen0"

_NO_TUN: Final = (EACCES, EPERM, ENOENT, ENODEV, ENXIO)
_NO_IPV6: Final = (EACCES, EAFNOSUPPORT, EINVAL, EOPNOTSUPP)  # EINVAL: an MTU below 1280 (RFC 8200 §5)
_LOCAL: Final = 0x8000_0000  # RTF_LOCAL, of a route to an address of ours
_SETTLES: Final = 5.0  # seconds
_SWAP: Final = str.maketrans("./", "/.")

Network = tuple[bytes, int]  # an address and the length of its prefix


class Plan(NamedTuple):
    """What the inside is to look like; made of what marshal can carry."""

    device: str  # "tun", "veth", or "auto": TUN where it opens
    offload: bool
    mtu: int
    addresses: tuple[Network, ...]
    routes: tuple[Network, ...]
    sysctls: tuple[tuple[str, str], ...]
    quick_acks: bool
    queue: int  # 0: as the kernel has it


class Forbidden(Exception):
    """A step that needs rights was refused: (step, errno)."""

    def __init__(self, step: str, error: OSError) -> None:
        super().__init__(step, error.errno)
        self.step = step
        self.errno = error.errno or 0


class Enclosure(NamedTuple):
    """What stands when all is done."""

    device: str
    fd: int  # of the TUN device or the packet socket
    addresses: tuple[Network, ...]  # without those of IPv6 where the kernel has none
    user_namespace: bool


def enclose(plan: Plan) -> Enclosure:
    """Move this process into a private network that is made as ``plan`` says."""
    user = _leave_the_network()
    device, fd = _open_device(plan)
    try:
        netlink = Rtnetlink()
        netlink.up(netlink.index("lo"))
        index = netlink.index(NAME)
        netlink.quiet(index)
        netlink.mtu(index, plan.mtu)
        if plan.queue:
            netlink.queue(index, plan.queue)
        _set_sysctls(plan.sysctls)
        netlink.up(index)
        addresses = tuple(network for network in plan.addresses if _add(netlink, index, network))
        families = {len(address) for address, _ in addresses}
        for network, prefix in plan.routes:
            if len(network) in families:
                netlink.route(index, network, prefix, quick_acks=plan.quick_acks)
        netlink.close()
        _settle(addresses)
    except BaseException:
        os.close(fd)
        raise
    return Enclosure(device, fd, addresses, user)


def _settle(addresses: tuple[Network, ...]) -> None:
    """Wait until what is sent to the addresses of IPv6 is taken in.

    Linux gives them their routes from a worker of its own, on a busy machine almost a second
    after netlink has said that they are there.
    """
    wanted = {address.hex() for address, _ in addresses if len(address) == 16}
    until = time.monotonic() + _SETTLES
    with contextlib.suppress(OSError):
        while not wanted <= _taken_in() and time.monotonic() < until:
            time.sleep(0.001)


def _taken_in() -> set[str]:
    """Return the addresses of IPv6, in hex, that have a route to this host itself."""
    rows = map(str.split, proc.read("/proc/thread-self/net/ipv6_route").splitlines())
    return {row[0] for row in rows if row[1] == "80" and int(row[8], 16) & _LOCAL}


def read_sysctl(name: str) -> str:
    """Return a sysctl of this network namespace."""
    return proc.read(_sysctl_path(name)).strip()


def write_sysctl(name: str, value: str) -> None:
    """Set a sysctl of this network namespace."""
    try:
        proc.write(_sysctl_path(name), value)
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), f"{name} = {value}") from None


def _sysctl_path(name: str) -> str:
    # As sysctl(8): the first separator decides; in net.ipv4.conf.eth0/1.mtu the slash stands for a dot.
    path = name if "/" in name.partition(".")[0] else name.translate(_SWAP)
    if not path.startswith("net/") or ".." in path:
        raise ValueError(f"{name} is no sysctl of a network")
    return f"/proc/sys/{path}"


def _set_sysctls(sysctls: tuple[tuple[str, str], ...]) -> None:
    with contextlib.suppress(OSError):
        gid = os.getegid()
        write_sysctl("net.ipv4.ping_group_range", f"{gid} {gid}")  # ping without rights
    for name, value in sysctls:
        try:
            write_sysctl(name, value)
        except OSError as error:
            if error.errno in (EACCES, EPERM, EROFS):
                raise Forbidden(f"sysctl {name}", error) from error
            raise


def _leave_the_network() -> bool:
    """Enter new namespaces; say whether a user namespace was needed for it."""
    try:
        unshare(CLONE_NEWNET)
        return False
    except OSError as error:
        if error.errno != EPERM:
            raise Forbidden("network namespace", error) from error
    uid, gid = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWUSER)
    except OSError as error:
        raise Forbidden("user namespace", error) from error
    try:
        proc.write("/proc/self/setgroups", "deny")
        proc.write("/proc/self/uid_map", f"{uid} {uid} 1")
        proc.write("/proc/self/gid_map", f"{gid} {gid} 1")
        unshare(CLONE_NEWNET)
    except OSError as error:
        raise Forbidden("rights in the user namespace", error) from error
    return True


def _open_device(plan: Plan) -> tuple[str, int]:
    if plan.device != "veth":
        try:
            return "tun", devices.tun(NAME, offload=plan.offload)
        except OSError as error:
            if plan.device == "tun" or error.errno not in _NO_TUN:
                raise Forbidden("TUN device", error) from error
    try:
        return "veth", devices.veth(NAME, plan.mtu, offload=plan.offload).detach()
    except OSError as error:
        raise Forbidden("veth device", error) from error


def _add(netlink: Rtnetlink, index: int, network: Network) -> bool:
    address, prefix = network
    try:
        netlink.address(index, address, prefix)
    except OSError as error:
        if len(address) == 4 or error.errno not in _NO_IPV6:
            raise
        return False
    return True
