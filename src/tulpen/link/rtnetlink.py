"""Links, addresses and routes through rtnetlink(7): the few requests a private network is made of.

pyroute2 does this and much more; importing it takes 115 ms, a private network 5.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from typing import Final, final

_ERROR: Final = 2  # NLMSG_ERROR
_REQUEST: Final = 0x005  # NLM_F_REQUEST | NLM_F_ACK
_CREATE: Final = 0x600  # NLM_F_CREATE | NLM_F_EXCL

_NEWLINK: Final = 16
_NEWADDR: Final = 20
_NEWROUTE: Final = 24
_SIOCGIFINDEX: Final = 0x8933

IFF_UP: Final = 0x1
IFF_NOARP: Final = 0x80

# attributes of a link
_IFLA_ADDRESS: Final = 1
_IFLA_IFNAME: Final = 3
_IFLA_MTU: Final = 4
_IFLA_TXQLEN: Final = 13
_IFLA_LINKINFO: Final = 18
_IFLA_AF_SPEC: Final = 26
_IFLA_NET_NS_FD: Final = 28
_INFO_KIND: Final = 1
_INFO_DATA: Final = 2
_VETH_PEER: Final = 1
_INET6_ADDR_GEN_MODE: Final = 8
_GEN_NONE: Final = b"\x01"  # no link-local address: nothing is sent unasked
# of an address
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2
_IFA_FLAGS: Final = 8
_NODAD: Final = 0x02
# of a route
_RTA_DST: Final = 1
_RTA_OIF: Final = 4
_RTA_GATEWAY: Final = 5
_RTA_METRICS: Final = 8
_RTAX_QUICKACK: Final = 15
_TABLE_MAIN: Final = 254
_PROTO_STATIC: Final = 4
_SCOPE_LINK: Final = 253
_TYPE_UNICAST: Final = 1

_HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence number, port
_LINK: Final = struct.Struct("=BxHiII")  # family, device type, index, flags, mask of flags
_ADDRESS: Final = struct.Struct("=BBBBI")  # family, prefix, flags, scope, index
_ROUTE: Final = struct.Struct("=8BI")  # family, dst, src, tos, table, protocol, scope, type, flags


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack("=I", value))


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _family(address: bytes) -> int:
    return socket.AF_INET if len(address) == 4 else socket.AF_INET6


@final
class Rtnetlink:
    """Talks to the network namespace that it was made in, wherever its process goes later."""

    __slots__ = ("_sequence", "_socket")

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._sequence = 0

    def index(self, name: str) -> int:
        """Return the interface index of ``name`` (netdevice(7): any socket may ask)."""
        request = fcntl.ioctl(self._socket, _SIOCGIFINDEX, struct.pack("16s24x", name.encode()))
        return int(struct.unpack_from("=i", request, 16)[0])

    def up(self, index: int) -> None:
        """Bring an interface up."""
        self._ask(_NEWLINK, 0, _LINK.pack(socket.AF_UNSPEC, 0, index, IFF_UP, IFF_UP))

    def down(self, index: int) -> None:
        """Take an interface down."""
        self._ask(_NEWLINK, 0, _LINK.pack(socket.AF_UNSPEC, 0, index, 0, IFF_UP))

    def quiet(self, index: int) -> None:
        """Let an interface make no IPv6 address by itself, so that it solicits no router.

        Without IPv6, for want of it in the kernel or of an MTU of 1280, there is nothing to keep quiet.
        """
        spec = _attribute(socket.AF_INET6, _attribute(_INET6_ADDR_GEN_MODE, _GEN_NONE))
        with contextlib.suppress(OSError):
            self._ask(_NEWLINK, 0, _LINK.pack(socket.AF_UNSPEC, 0, index, 0, 0) + _attribute(_IFLA_AF_SPEC, spec))

    def mtu(self, index: int, mtu: int) -> None:
        """Set an interface's MTU."""
        self._ask(_NEWLINK, 0, _LINK.pack(socket.AF_UNSPEC, 0, index, 0, 0) + _number(_IFLA_MTU, mtu))

    def queue(self, index: int, packets: int) -> None:
        """Set how many packets may wait in an interface to be sent."""
        self._ask(_NEWLINK, 0, _LINK.pack(socket.AF_UNSPEC, 0, index, 0, 0) + _number(_IFLA_TXQLEN, packets))

    def veth(self, near: tuple[str, bytes], far: tuple[str, bytes], far_namespace: int, mtu: int) -> None:
        """Make a pair of NOARP interfaces, each (name, Ethernet address), the far one in another namespace."""
        silent = _LINK.pack(socket.AF_UNSPEC, 0, 0, IFF_NOARP, IFF_NOARP)
        size = _number(_IFLA_MTU, mtu)
        peer = silent + _text(_IFLA_IFNAME, far[0]) + _attribute(_IFLA_ADDRESS, far[1]) + size
        peer += _number(_IFLA_NET_NS_FD, far_namespace)
        info = _text(_INFO_KIND, "veth") + _attribute(_INFO_DATA, _attribute(_VETH_PEER, peer))
        link = silent + _text(_IFLA_IFNAME, near[0]) + _attribute(_IFLA_ADDRESS, near[1]) + size
        self._ask(_NEWLINK, _CREATE, link + _attribute(_IFLA_LINKINFO, info))

    def address(self, index: int, address: bytes, prefix: int) -> None:
        """Give an interface an address, in use at once (no duplicate address detection)."""
        body = _ADDRESS.pack(_family(address), prefix, _NODAD, 0, index)
        body += _attribute(_IFA_LOCAL, address) + _attribute(_IFA_ADDRESS, address)
        self._ask(_NEWADDR, _CREATE, body + _number(_IFA_FLAGS, _NODAD))

    def route(self, index: int, network: bytes, prefix: int, gateway: bytes = b"", *, quick_acks: bool = False) -> None:
        """Send ``network`` out of an interface, to ``gateway`` if there is one.

        ``quick_acks``: TCP acknowledges at once what comes from there (``ip route ... quickack 1``).
        """
        scope = 0 if gateway else _SCOPE_LINK
        body = _ROUTE.pack(_family(network), prefix, 0, 0, _TABLE_MAIN, _PROTO_STATIC, scope, _TYPE_UNICAST, 0)
        body += _attribute(_RTA_DST, network) + _number(_RTA_OIF, index)
        if gateway:
            body += _attribute(_RTA_GATEWAY, gateway)
        if quick_acks:
            body += _attribute(_RTA_METRICS, _number(_RTAX_QUICKACK, 1))
        self._ask(_NEWROUTE, _CREATE, body)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _ask(self, kind: int, flags: int, body: bytes) -> None:
        """Send one request and wait for its acknowledgment."""
        self._sequence += 1
        self._socket.send(_HEADER.pack(16 + len(body), kind, _REQUEST | flags, self._sequence, 0) + body)
        answer = self._socket.recv(65_536)
        _, answered, _, sequence, _ = _HEADER.unpack_from(answer)
        if answered != _ERROR or sequence != self._sequence:
            raise OSError(f"rtnetlink: message {answered} answers request {self._sequence}")
        number = -struct.unpack_from("=i", answer, 16)[0]
        if number:
            raise OSError(number, f"rtnetlink: {os.strerror(number)}")
