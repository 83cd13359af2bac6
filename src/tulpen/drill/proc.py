"""/proc/net/tcp and /proc/net/tcp6 of a host, as far as its sockets fill them, and grep over them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.tcp_info import LINUX_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tulpen.host.host import Host
    from tulpen.host.status import Row

_FAMILIES: Final = {"/proc/net/tcp": 4, "/proc/net/tcp6": 16}
_HEADING: Final = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"


def grep(host: Host, pipeline: list[list[str]]) -> None:
    """As ``grep PATTERN FILE... | grep PATTERN``: Mismatch where nothing is found."""
    for words in pipeline:
        if words[:1] != ["grep"] or any(word.startswith("-") for word in words[1:]):
            raise Unsupported(f"the command '{' | '.join(' '.join(each) for each in pipeline)}'")
    pattern, *files = pipeline[0][1:]
    if not files or not set(files) <= set(_FAMILIES) or any(len(words) != 2 for words in pipeline[1:]):
        raise Unsupported(f"the command '{' | '.join(' '.join(each) for each in pipeline)}'")
    lines = [line for file in files for line in table(host, file)]
    for each in (pattern, *(words[1] for words in pipeline[1:])):
        lines = [line for line in lines if re.search(each, line)]
    if not lines:
        raise Mismatch(f"grep: nothing in {' '.join(files)} fits")


def table(host: Host, file: str) -> Iterator[str]:
    """Yield the lines of one of the files."""
    size = _FAMILIES[file]
    yield _HEADING
    rows = [row for row in host.status() if len(row.local or bytes(16)) == size]
    for index, row in enumerate(rows):
        yield f"{index:4}: {_line(row, size)}"


def _line(row: Row, size: int) -> str:
    local, remote = _end(row.local or bytes(size), row.local_port), _end(row.remote or bytes(size), row.remote_port)
    return f"{local} {remote} {LINUX_STATES[row.state]:02X} {row.send_q:08X}:{row.recv_q:08X} 00:00000000 00000000"


def _end(address: bytes, port: int) -> str:
    """Write an address as Linux does: 32 bits at a time, in the order of a little-endian machine."""
    words = (int.from_bytes(address[at : at + 4], "little") for at in range(0, len(address), 4))
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"
