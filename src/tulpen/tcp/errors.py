"""What a user's call answers when it cannot be served (RFC 9293 §3.10)."""

from __future__ import annotations

import errno as _errno


class TcpError(Exception):
    """A call was refused; ``errno`` is the number Linux would give, the text the RFC's."""

    def __init__(self, errno: int, words: str) -> None:
        super().__init__(f"{_errno.errorcode.get(errno, errno)}: {words}")
        self.errno = errno
        self.words = words
