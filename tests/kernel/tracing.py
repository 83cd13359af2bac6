"""What this machine lets the tests do: tracing."""

from __future__ import annotations

import pytest

from tulpen.kernel.tracefs import CannotTrace, Instance, Tracefs


def _why_not() -> str:
    try:
        tracefs = Tracefs()
        Instance(tracefs).close()
        tracefs.close()
    except CannotTrace as error:
        return f"{error}; {error.remedy}"
    return ""


why_not = _why_not()
needs_tracing = pytest.mark.skipif(bool(why_not), reason=why_not)
