"""Libraries that not everybody needs: imported when they are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tulpen.errors import TulpenError


def extra(module: str, purpose: str) -> Any:
    """Return a module of the extra ``read``.  Raises TulpenError naming the extra where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        raise TulpenError(f"{purpose} needs {name}, which is not installed", "pip install 'tulpen[read]'") from None
