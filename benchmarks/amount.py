"""How much is moved: all of it, or with ``--quick`` a tenth."""

from __future__ import annotations

_quick = False


def hurry() -> None:
    """From now on move a tenth."""
    global _quick  # noqa: PLW0603  # there is one run, and the cases are made before it is known
    _quick = True


def amount(full: int) -> int:
    """Return how much to move where ``full`` is what a whole run moves."""
    return max(1, full // 10) if _quick else full
