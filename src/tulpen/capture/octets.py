"""Where a capture's octets come from: a file, standard input; as they are, or packed by gzip or zstd."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast, final

from tulpen.capture.frame import Damaged
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from types import TracebackType

BUFFER: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


@final
class Octets:
    """A stream that knows how far it has been read."""

    __slots__ = ("_closing", "_failures", "_file", "name", "offset")

    def __init__(self, source: str | os.PathLike[str] | BinaryIO) -> None:
        self.offset = 0
        self._closing: list[BinaryIO] = []
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

    def _open(self, path: str) -> BinaryIO:
        file = open(path, "rb", buffering=BUFFER)  # noqa: PTH123, SIM115 (closed on leaving the context)
        self._closing.append(file)
        return file

    def _unpacked(self, file: BinaryIO) -> BinaryIO:
        buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("Any", file), BUFFER)
        magic = buffered.peek(4)[:4]
        if magic.startswith(_GZIP):
            return self._kept(gzip.GzipFile(fileobj=buffered))
        if magic == _ZSTD:
            return self._kept(self._zstd(buffered))
        return buffered

    def _kept(self, file: Any) -> BinaryIO:
        whole = cast("BinaryIO", io.BufferedReader(file, BUFFER))
        self._closing.insert(0, whole)
        return whole

    def _zstd(self, file: BinaryIO) -> object:
        if sys.version_info >= (3, 14):
            from compression import zstd

            self._failures += (zstd.ZstdError,)
            return zstd.ZstdFile(file)
        try:
            import zstandard
        except ImportError:
            raise TulpenError(
                f"{self.name} is packed by zstd, which this Python cannot unpack", "pip install 'tulpen[read]'"
            ) from None
        self._failures += (zstandard.ZstdError,)
        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
