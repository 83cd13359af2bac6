"""The process that lives inside a private network, starts commands there and kills what is left.

It obeys one socket.  When that ends, or the process that holds its other end does, the
keeper kills every descendant, those that made sessions of their own too, and exits;
with it goes the network.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn, final

from tulpen.link import message, proc
from tulpen.link.enclosure import Forbidden, Plan, enclose, read_sysctl, write_sysctl
from tulpen.link.rtnetlink import Rtnetlink
from tulpen.link.syscalls import adopt_orphans, die_with_parent


def _wakes(number: int, frame: object) -> None:
    """Take a signal whose arrival alone matters: the wakeup descriptor has told of it."""


@final
class Keeper:
    """Answers the requests of one PrivateNetwork."""

    __slots__ = ("_commands", "_control", "_device", "_owner", "_wake")

    def __init__(self, control: socket.socket, owner: int) -> None:
        self._control = control
        self._owner = owner  # pidfd of the process that the network is for; -1: none
        self._device = -1
        self._commands: dict[int, int] = {}  # process -> where its status goes
        self._wake, alarm = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _wakes)

    def serve(self) -> None:
        """Answer requests until there can be no more, then end everything."""
        adopt_orphans()
        poll = _poll(self._control.fileno(), self._wake, self._owner)
        try:
            with contextlib.suppress(EOFError, ConnectionError):
                while self._round(_ready(poll)):
                    pass
        finally:
            self._kill_all()
            self._control.close()  # the network is known to be over; the device takes 30 ms to go, unwaited for

    def _round(self, ready: list[int]) -> bool:
        if self._owner in ready:
            return False
        if self._wake in ready:
            os.read(self._wake, 4096)
            self._reap()
        if self._control.fileno() in ready:
            self._answer()
        return True

    def _answer(self) -> None:
        request, fds = message.receive(self._control)
        answer: tuple[Any, ...]
        given: tuple[int, ...] = ()
        try:
            value, given = self._do(request, fds)
            answer = ("done", value)
        except Forbidden as error:
            answer = ("forbidden", error.step, error.errno)
        except OSError as error:
            answer = ("failed", error.errno, error.strerror, error.filename)
        except ValueError as error:
            answer = ("wrong", str(error))
        finally:
            for fd in fds:
                os.close(fd)
        message.give(self._control, answer, given)

    def _do(self, request: tuple[Any, ...], fds: list[int]) -> tuple[Any, tuple[int, ...]]:
        match request:
            case ("enclose", plan):
                inside = enclose(Plan(*plan))
                self._device = inside.fd
                return (inside.device, inside.addresses, inside.user_namespace, os.getpid()), (os.dup(inside.fd),)
            case ("start", argv, env, cwd):
                return self._start(argv, env, cwd, fds), ()
            case ("signal", pid, number):
                self._signal(pid, number)
            case ("read", name):
                return read_sysctl(name), ()
            case ("write", name, value):
                write_sysctl(name, value)
            case ("file", path):
                return proc.read(path), ()
            case ("socket", family, kind, protocol):
                return None, (socket.socket(family, kind, protocol).detach(),)
            case ("link", name, up):
                _set_link(name, up)
            case _:
                raise ValueError(f"no such request: {request[0]}")
        return None, ()

    def _start(self, argv: list[str], env: dict[str, str], cwd: str, fds: list[int]) -> int:
        """Start a command in a session of its own; ``fds`` are its three streams and its status."""
        status = os.dup(fds[3])
        failed, failing = os.pipe2(os.O_CLOEXEC)
        keeper = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become(argv, env, cwd, fds[:3], failing, keeper)
        os.close(failing)
        error = os.read(failed, message.STATUS.size)
        os.close(failed)
        if error:
            os.close(status)
            os.waitpid(pid, 0)
            number, missing = divmod(message.STATUS.unpack(error)[0], 2)
            raise OSError(number, os.strerror(number), cwd if missing else argv[0])
        self._commands[pid] = status
        return pid

    def _signal(self, pid: int, number: int) -> None:
        if pid in self._commands:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)

    def _reap(self) -> None:
        """Collect the children that have ended."""
        with contextlib.suppress(ChildProcessError):
            # WNOWAIT: the number stays the child's until its group has been killed.
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)) is not None:
                self._bury(ended.si_pid)

    def _bury(self, pid: int) -> None:
        """Kill what a command has left in its group, and tell its status."""
        status = self._commands.pop(pid, None)
        if status is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        _, code = os.waitpid(pid, 0)
        if status is None:
            return
        with contextlib.suppress(BrokenPipeError):
            os.write(status, message.STATUS.pack(os.waitstatus_to_exitcode(code)))
        os.close(status)

    def _kill_all(self) -> None:
        """Kill the descendants, generation after generation: orphans come to this process."""
        while children := _children():
            for pid in children:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            for pid in children:
                self._bury(pid)


def _children() -> list[int]:
    me = os.getpid()
    try:
        return [int(pid) for pid in proc.read(f"/proc/{me}/task/{me}/children").split()]
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        entries = [entry.name for entry in os.scandir("/proc")]
        return [pid for pid in map(int, filter(str.isdigit, entries)) if _parent(pid) == me]


def _parent(pid: int) -> int:
    try:
        return int(proc.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _set_link(name: str, up: bool) -> None:
    netlink = Rtnetlink()
    try:
        (netlink.up if up else netlink.down)(netlink.index(name))
    finally:
        netlink.close()


def _become(argv: list[str], env: dict[str, str], cwd: str, streams: list[int], failing: int, keeper: int) -> None:
    """Turn this new process into the command, or say why not."""
    missing = 0
    try:
        os.setsid()
        die_with_parent(signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(127)
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        missing = 1
        os.chdir(cwd)
        missing = 0
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        os.write(failing, message.STATUS.pack((error.errno or 0) * 2 + missing))
    finally:
        os._exit(127)


def main() -> None:
    """Fork a keeper for each descriptor that comes, until the program ends."""
    control = socket.socket(fileno=int(sys.argv[2]))
    control.set_inheritable(False)
    owner = _watch(int(sys.argv[3]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    poll = _poll(control.fileno(), owner)
    with contextlib.suppress(EOFError, ConnectionError):
        while owner not in _ready(poll):
            _, fds = message.receive(control)
            if os.fork() == 0:
                control.close()
                _keep(socket.socket(fileno=fds[0]), owner)
            os.close(fds[0])
    os._exit(0)


def _poll(*fds: int) -> select.poll:
    """Watch the descriptors; -1 stands for one that there is not."""
    poll = select.poll()
    for fd in fds:
        if fd >= 0:
            poll.register(fd, select.POLLIN)
    return poll


def _ready(poll: select.poll) -> list[int]:
    return [fd for fd, _ in poll.poll()]


def _keep(control: socket.socket, owner: int) -> NoReturn:
    try:
        Keeper(control, owner).serve()
    except Exception:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        os._exit(0)


def _watch(pid: int) -> int:
    """Return a descriptor that is readable when the program has ended; its sockets may outlive it in a fork."""
    try:
        owner = os.pidfd_open(pid)
    except OSError:
        return -1
    if os.getppid() != pid:
        sys.exit(0)
    return owner
