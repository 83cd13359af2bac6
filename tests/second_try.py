"""Which try of a test this is: on the second it must not look at what upset the first."""

from __future__ import annotations

import pytest


def first_try(request: pytest.FixtureRequest) -> bool:
    """Whether the test that asks runs for the first time."""
    return getattr(request.node, "execution_count", 1) == 1
