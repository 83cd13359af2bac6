"""Colours: enough contrast in both themes, and one for every state."""

from __future__ import annotations

import pytest

from tulpen.show.ladder import Standing
from tulpen.show.style import DARK, LIGHT, PHASE, state_class
from tulpen.tcp.state import State

BACKGROUNDS = ("paper", "panel")
NOT_TEXT = ("paper", "panel", "line")


def luminance(colour: str) -> float:
    """As WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("name", [name for name in LIGHT if name not in NOT_TEXT])
def test_text_can_be_read(theme: dict[str, str], background: str, name: str) -> None:
    assert contrast(theme[name], theme[background]) >= 4.5


def test_both_themes_have_the_same_colours() -> None:
    assert list(LIGHT) == list(DARK)


@pytest.mark.parametrize("state", State)
def test_every_state_has_one(state: State) -> None:
    assert PHASE[state] in LIGHT
    assert state_class(Standing(state)) == f"st-{PHASE[state]}"
    assert state_class(Standing(state, inferred=True)).endswith(" inferred")
    assert state_class(Standing()) == "st-unknown"
