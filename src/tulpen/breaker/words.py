"""What a program said last, in a line."""

from __future__ import annotations


def last_words(text: str) -> str:
    """Return the last line, with the one before it where it is indented below that one."""
    lines = [line for line in text.splitlines() if line.strip()]
    said: list[str] = []
    while lines:
        line = lines.pop()
        said.insert(0, line.strip())
        if not line[0].isspace():
            break
    return " ".join(said[-2:] if len(said) > 2 else said)
