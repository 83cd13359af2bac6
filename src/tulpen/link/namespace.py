"""A private network: a network namespace with one device, whose other end is a Link in this process.

The commands run inside, as the user who runs the program; the program stays outside, in
the network it was in, and speaks to the inside through the link alone.  No interface is
ever made outside.  With the program, however it ends, the network and all that runs in
it end too.

What it stands on depends on rights:

* root: a network namespace and a TUN device;
* anybody else: a user namespace (every id mapped to itself) and a network namespace in
  it, with a TUN device where /dev/net/tun opens and a veth pair where it does not;
* where even that is forbidden: NotPermitted, which knows the remedy.

The first network takes 30 to 45 ms to make, those beside it 3 to 6, thirty of them 150.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, final

from tulpen.link import message
from tulpen.link.command import Capture, Command, Finished
from tulpen.link.devices import FAR, NEAR
from tulpen.link.enclosure import Plan
from tulpen.link.link import Link
from tulpen.link.nursery import NURSERY
from tulpen.link.packet import PacketSocket
from tulpen.link.permission import NotPermitted, recognise
from tulpen.link.syscalls import CLONE_NEWNET, setns
from tulpen.link.tun import Tun

__all__ = ["Command", "Device", "Finished", "NotPermitted", "PrivateNetwork"]

# Addresses for documentation (RFC 5737, RFC 3849): nobody's, so nobody is ever reached by mistake.
INSIDE: Final = ("192.0.2.1/24", "2001:db8::1/64")
OUTSIDE: Final = ("192.0.2.2", "2001:db8::2")  # for the tulpen host at the other end

Device = Literal["auto", "tun", "veth"]  # auto: TUN where it opens

_NETLINK_SOCK_DIAG: Final = 4


class _Inside(NamedTuple):
    device: str
    addresses: tuple[tuple[bytes, int], ...]
    user_namespace: bool
    pid: int


@final
class PrivateNetwork:
    """Made when constructed, gone when closed; a context manager."""

    __slots__ = ("_closed", "_commands", "_control", "_inside", "_lock", "link")

    def __init__(
        self,
        *,
        addresses: Sequence[str] = INSIDE,
        routes: Sequence[str] = (),
        sysctls: Mapping[str, int | str] | None = None,
        mtu: int = 1500,
        device: Device = "auto",
        offload: bool = False,
        quick_acks: bool = False,
        queue: int = 0,
    ) -> None:
        """``queue``: packets that may wait inside for the link to be read; 0: as the kernel has it, 500 for TUN."""
        if not sys.platform.startswith("linux"):
            raise NotPermitted("a private network is a thing of Linux", "run tulpen in a Linux virtual machine")
        plan = Plan(
            device,
            offload,
            mtu,
            tuple(_network(text) for text in addresses),
            tuple(_network(text) for text in routes),
            tuple((name, str(value)) for name, value in (sysctls or {}).items()),
            quick_acks,
            queue,
        )
        self._closed = False
        self._lock = threading.Lock()
        self._commands: list[Command] = []
        self._control = NURSERY.keeper()
        try:
            value, fds = self._ask("enclose", tuple(plan))
        except BaseException:
            self._end()
            raise
        self._inside = _Inside(*value)
        self.link: Link
        if self.device == "tun":
            self.link = Tun(fds[0], mtu, offload=offload)
        else:
            self.link = PacketSocket(socket.socket(fileno=fds[0]), NEAR, FAR, mtu, offload=offload)

    @property
    def device(self) -> str:
        """What the link stands on: ``tun`` or ``veth``."""
        return self._inside.device

    @property
    def addresses(self) -> list[str]:
        """The addresses inside; IPv6 is missing where the kernel has none."""
        return [str(ipaddress.ip_address(address)) for address, _ in self._inside.addresses]

    @property
    def user_namespace(self) -> bool:
        """Whether the network stands in a user namespace of its own."""
        return self._inside.user_namespace

    @property
    def pid(self) -> int:
        """A process inside, for /proc/PID/net."""
        return self._inside.pid

    def start(
        self,
        argv: Sequence[str],
        *,
        deadline: float | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> Command:
        """Start a command inside, as this user; streams that are not given are captured, stdin is empty.

        Raises OSError as exec does when there is no such command.
        """
        captures = [Capture() if stream is None else None for stream in (stdout, stderr)]
        nothing = os.open(os.devnull, os.O_RDONLY)
        status, tell = os.pipe()
        streams = [
            nothing if stdin is None else stdin,
            *(
                capture.pass_on() if capture else stream
                for capture, stream in zip(captures, (stdout, stderr), strict=True)
            ),
            tell,
        ]
        request = (list(argv), dict(os.environ if env is None else env), os.fspath(cwd or Path.cwd()))
        try:
            pid, _ = self._ask("start", *request, fds=[stream for stream in streams if stream is not None])
        except BaseException:
            os.close(status)
            raise
        finally:
            os.close(nothing)
            os.close(tell)
            for capture in captures:
                if capture:
                    capture.passed()
        command = Command(list(argv), pid, status, captures[0], captures[1], self._signal, deadline)
        self._commands.append(command)
        return command

    def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> Finished:
        """Run a command inside and wait for it; at its deadline (seconds) it is killed."""
        return self.start(argv, deadline=deadline, env=env, cwd=cwd).wait()

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Let this thread make its sockets inside.

        Raises NotPermitted in a user namespace, which a program with threads cannot enter.
        """
        if self.user_namespace:
            raise NotPermitted("a thread cannot enter the network of a user namespace", "run it as root")
        with contextlib.ExitStack() as stack:
            there, here = (
                os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                for path in (f"/proc/{self.pid}/ns/net", "/proc/thread-self/ns/net")
            )
            stack.callback(os.close, there)
            stack.callback(os.close, here)
            setns(there, CLONE_NEWNET)
            stack.callback(setns, here, CLONE_NEWNET)
            yield

    def open_socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """Return a socket that lives inside, for this process to use."""
        _, fds = self._ask("socket", int(family), int(kind), int(protocol))
        return socket.socket(fileno=fds[0])

    def sock_diag(self) -> socket.socket:
        """Return a socket through which the kernel tells of the TCP sockets inside (sock_diag(7))."""
        return self.open_socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)

    def sysctl(self, name: str) -> str:
        """Return the value of a sysctl inside: ``net.ipv4.tcp_fin_timeout``."""
        value, _ = self._ask("read", name)
        return str(value)

    def set_sysctl(self, name: str, value: int | str) -> None:
        """Change a sysctl inside."""
        self._ask("write", name, str(value))

    def read_file(self, path: str) -> str:
        """Return a file as it is seen inside: ``/proc/net/netstat``."""
        value, _ = self._ask("file", path)
        return str(value)

    def set_link(self, up: bool) -> None:
        """Take the device up or down, as when a cable is pulled."""
        self._ask("link", "tulpen0", up)

    def close(self) -> None:
        """End every process inside and the network; closing twice does no harm."""
        self.link.close()
        self._end()
        for command in self._commands:
            command.poll()
        self._commands.clear()

    def __enter__(self) -> PrivateNetwork:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _end(self) -> None:
        """Let the keeper go, and wait until it has."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
            while self._control.recv(4096):
                pass
        self._control.close()
        NURSERY.release()

    def _signal(self, pid: int, number: int) -> None:
        if not self._closed:
            self._ask("signal", pid, int(number))

    def _ask(self, *request: Any, fds: Sequence[int] = ()) -> tuple[Any, list[int]]:
        """Have the keeper do something."""
        with self._lock:
            try:
                message.send(self._control, request, fds)
                answer, given = message.receive(self._control)
            except BaseException as error:  # half an exchange cannot be taken up again
                self._end()
                if isinstance(error, EOFError | OSError):
                    raise ConnectionError("the private network is gone") from error
                raise
        match answer:
            case ("done", value):
                return value, given
            case ("forbidden", step, number):
                refused = recognise(step, number)
                raise refused or OSError(number, f"{step}: {os.strerror(number)}")
            case ("failed", number, words, name):
                raise OSError(number, words, name)
            case _:
                raise ValueError(answer[1])


def _network(text: str) -> tuple[bytes, int]:
    """Return the address and the prefix length; an address alone is a whole prefix."""
    interface = ipaddress.ip_interface(text)
    return interface.ip.packed, interface.network.prefixlen
