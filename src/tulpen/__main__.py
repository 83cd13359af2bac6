"""``python -m tulpen`` is ``tulpen``."""

from __future__ import annotations

from tulpen.cli.main import main

main()
