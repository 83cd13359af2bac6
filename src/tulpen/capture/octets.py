"""Where a capture's octets come from: a file, standard input; as they are, or packed by gzip or zstd."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, Protocol, cast, final

from tulpen.capture.frame import Damaged
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from types import TracebackType

BUFFER: Final = 1 << 17
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


class Stream(Protocol):
    """Octets that come one after the other."""

    @property
    def offset(self) -> int:
        """How many were taken."""

    def take(self, size: int) -> bytes:
        """Return ``size`` octets, or as many as are left.  Raises Damaged."""


@final
class Octets:
    """A stream that knows how far it has been read."""

    __slots__ = ("_closing", "_failures", "_file", "name", "offset")

    def __init__(self, source: str | os.PathLike[str] | BinaryIO) -> None:
        self.offset = 0
        self._closing: list[IO[bytes] | io.BufferedReader[Any]] = []
        self._failures: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile)
        if isinstance(source, (str, os.PathLike)):
            self.name = "standard input" if os.fspath(source) == "-" else os.fspath(source)
            file = sys.stdin.buffer if os.fspath(source) == "-" else self._open(os.fspath(source))
        else:
            self.name = str(getattr(source, "name", "the stream"))
            file = source
        self._file = self._unpacked(file)

    def __enter__(self) -> Octets:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._closing:
            file.close()

    def take(self, size: int) -> bytes:
        """Return ``size`` octets, or as many as are left.  Raises Damaged where they cannot be unpacked."""
        try:
            octets = self._file.read(size)
        except self._failures as error:
            raise Damaged(f"the packed data are damaged ({error})", self.offset) from error
        self.offset += len(octets)
        return octets

    def into(self, room: memoryview) -> int:
        """Fill ``room``, or a part of it, with what comes next; return how many octets that are, 0 at the end.

        Raises Damaged where they cannot be unpacked.
        """
        try:
            size = self._file.readinto1(room)  # which keeps what came before damage
        except self._failures as error:
            raise Damaged(f"the packed data are damaged ({error})", self.offset) from error
        self.offset += size
        return size

    def seek(self, offset: int) -> None:
        """Go to ``offset`` of a file that is not packed.  Raises OSError where there is no going to and fro."""
        self.offset = self._file.seek(offset)

    @property
    def size(self) -> int:
        """How many octets a file has, packed or not; 0 where that is not known."""
        try:
            return os.fstat(self._file.fileno()).st_size
        except OSError:
            return 0

    @property
    def packed(self) -> bool:
        """Whether they are unpacked as they are read."""
        return isinstance(self._file.raw, _Unpacked)

    def _open(self, path: str) -> BinaryIO:
        file = open(path, "rb", buffering=BUFFER)  # noqa: PTH123, SIM115 (closed on leaving the context)
        self._closing.append(file)
        return file

    def _unpacked(self, file: BinaryIO) -> io.BufferedReader[Any]:
        buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("Any", file), BUFFER)
        magic = buffered.peek(4)[:4]
        if magic.startswith(_GZIP):
            return self._kept(gzip.GzipFile(fileobj=buffered))
        if magic == _ZSTD:
            return self._kept(self._zstd(buffered))
        return buffered

    def _kept(self, file: Any) -> io.BufferedReader[Any]:
        whole: io.BufferedReader[Any] = io.BufferedReader(_Unpacked(file), BUFFER)
        self._closing.insert(0, whole)
        return whole

    def _zstd(self, file: BinaryIO) -> object:
        try:
            if sys.version_info >= (3, 14):
                from compression import zstd
            else:
                from backports import zstd
        except ImportError:
            raise TulpenError(
                f"{self.name} is packed by zstd, which this Python cannot unpack", "pip install 'tulpen[read]'"
            ) from None
        self._failures += (zstd.ZstdError,)
        return zstd.ZstdFile(file)


@final
class _Unpacked(io.RawIOBase):
    """Octets unpacked a piece at a time: whoever reads them, they end at the same place where they are damaged."""

    def __init__(self, file: Any) -> None:
        self._packed = file

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        piece = self._packed.read1(len(into))
        into[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._packed.close()
        super().close()
