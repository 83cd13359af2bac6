"""The engine's errors as the OSErrors that asyncio's callers expect."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tulpen.tcp.errors import TcpError


def os_error(error: int, what: str = "") -> OSError:
    """Return the OSError of an errno; Python picks the subclass: ECONNRESET makes a ConnectionResetError."""
    return OSError(error, what or os.strerror(error))


def as_os_error(error: TcpError, what: str = "") -> OSError:
    """Return the OSError that a kernel's socket would have raised for ``error``."""
    return os_error(error.errno, what)
