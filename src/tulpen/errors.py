"""What tulpen cannot do here, and what the user can do about it."""

from __future__ import annotations


class TulpenError(Exception):
    """A usage or an environment that tulpen cannot work with: the command line shows it and exits with 2.

    ``remedy`` is what the user can do, a command where there is one.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy
