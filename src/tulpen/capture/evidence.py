"""What was found in one connection, with the frames that show it."""

from __future__ import annotations

from typing import Final, final

MOST: Final = 8  # frames remembered of one kind


@final
class Evidence:
    """How often one thing was found, and where first."""

    __slots__ = ("count", "detail", "frames", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.frames: list[int] = []
        self.detail = ""  # what the sentence adds
        self.seconds = 0.0


@final
class Findings:
    """Evidence by kind and by the end that did it (0, 1; -1: neither)."""

    __slots__ = ("found", "notes")

    def __init__(self, *, noting: bool = False) -> None:
        self.found: dict[tuple[str, int], Evidence] = {}
        #: What stands beside a frame in a ladder; None where none is drawn.
        self.notes: dict[int, list[str]] | None = {} if noting else None

    def add(self, kind: str, side: int, frame: int, note: str = "", detail: str = "") -> Evidence:
        """Take one more of ``kind``; ``note`` stands beside the frame in a ladder."""
        evidence = self.found.get((kind, side))
        if evidence is None:
            evidence = self.found[kind, side] = Evidence()
        evidence.count += 1
        if len(evidence.frames) < MOST:
            evidence.frames.append(frame)
        if detail:
            evidence.detail = detail
        if self.notes is not None and note:
            self.notes.setdefault(frame, []).append(note)
        return evidence

    def count(self, kind: str) -> int:
        """Return how often it was found, at either end."""
        return sum(evidence.count for (name, _), evidence in self.found.items() if name == kind)

    def of(self, kind: str, side: int) -> Evidence | None:
        """Return the evidence, if there is any."""
        return self.found.get((kind, side))

    def drop(self, kind: str, side: int) -> None:
        """Forget what turned out to be something else."""
        self.found.pop((kind, side), None)
