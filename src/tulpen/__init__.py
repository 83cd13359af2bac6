"""A complete TCP (RFC 9293) in Python, and what can be done with one."""

from __future__ import annotations

__version__ = "0.1.0"
