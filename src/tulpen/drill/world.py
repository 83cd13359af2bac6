"""Everything a running script can reach."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, TypeAlias, final

from tulpen.drill.descriptor import EpollFile, File, TcpFile
from tulpen.drill.problems import Unsupported
from tulpen.drill.subject import Phase, Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.drill.conditions import Conditions
    from tulpen.drill.profile import Profile
    from tulpen.drill.script import Call
    from tulpen.drill.stage import Theatre
    from tulpen.host.host import Host
    from tulpen.tcp.config import Settings

#: A system call under way: it gives the time until when it waits (None: for ever), and returns its result.
Waiting: TypeAlias = Generator[int | None, None, int]

FIRST_REMOTE_PORT = 40_000


class CallFailed(Exception):
    """A system call returns -1 and this errno."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


@final
class World:
    """The stage, the script's files, and the connection under test."""

    def __init__(self, stage: Theatre, conditions: Conditions, profile: Profile, settings: Settings) -> None:
        self.stage = stage
        self.begin = stage.now  # when the script began
        self.conditions = conditions
        self.profile = profile
        self.settings = settings
        self.files: dict[int, File] = {}
        self.subject: Subject | None = None
        self.subjects: list[Subject] = []
        self.system: Callable[[World, Call], Waiting] | None = None  # who takes the calls; None: a tulpen host
        self.set_sysctl: Callable[[str, str], None] | None = None
        self.shell = False  # commands that are not understood are run
        self.remarks: list[str] = []
        self.variables: dict[str, object] = {}  # of the script's Python
        self.counted: dict[str, int] = {}  # the MIB when it was last shown
        self._remote_ports = FIRST_REMOTE_PORT

    @property
    def host(self) -> Host:
        """The tulpen host, where there is one."""
        host: Host | None = getattr(self.stage, "host", None)
        if host is None:
            raise Unsupported("a tulpen host")
        return host

    @property
    def now(self) -> int:
        """The virtual time."""
        return self.stage.now

    def tcp(self, fd: int) -> TcpFile:
        """Return a TCP socket by its descriptor."""
        file = self._file(fd)
        if not isinstance(file, TcpFile):
            raise Unsupported(f"file descriptor {fd} where a TCP socket belongs")
        return file

    def epoll(self, fd: int) -> EpollFile:
        """Return an epoll instance by its descriptor."""
        file = self._file(fd)
        if not isinstance(file, EpollFile):
            raise CallFailed(22)  # EINVAL
        return file

    def _file(self, fd: int) -> File:
        file = self.files.get(fd)
        if file is None:
            raise CallFailed(9)  # EBADF
        return file

    def new_subject(self, phase: Phase, file: File | None = None) -> Subject:
        """Put a new connection under test."""
        conditions = self.conditions
        if phase is Phase.CALLED:
            self._remote_ports += 1
            subject = Subject(conditions.local, conditions.bind_port, conditions.remote, self._remote_ports)
        else:
            subject = Subject(conditions.local, 0, conditions.remote, conditions.connect_port)
        subject.phase = phase
        subject.file = file
        self.subject = subject
        self.subjects.append(subject)
        return subject

    def listens(self, file: File) -> None:
        """A socket listens: what comes in from now on is for it."""
        subject = self.subject_of(file)
        if subject is not None:
            subject.phase = Phase.LISTENING
            self.subject = subject

    def connects(self, file: File, remote: tuple[bytes, int]) -> None:
        """A socket connects: its SYN is to be expected."""
        subject = self.subject_of(file)
        if subject is not None and subject.phase is not Phase.NEW:
            subject.file = None  # it was disconnected: what comes is another connection
            subject = self.new_subject(Phase.NEW, file)
        if subject is not None:
            subject.phase = Phase.CONNECTING
            subject.remote, subject.remote_port = remote

    def subject_of(self, file: File) -> Subject | None:
        """Return the connection that a socket stands for."""
        return next((each for each in self.subjects if each.file is file), None)
