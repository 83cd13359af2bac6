"""What empty queues share: an empty list takes as much memory as seven numbers, and most queues are empty."""

from __future__ import annotations

from typing import Any, Final

#: Is replaced by a list of one's own before anything is put in, and never changed.
NOTHING: Final[list[Any]] = []
