"""Arguments and results of system calls, as a script writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Any:
    """``...``: whatever it is."""

    def __str__(self) -> str:
        return "..."


@dataclass(frozen=True, slots=True)
class Number:
    """A number; ``hex`` tells how it was written."""

    value: int
    hex: bool = False

    def __str__(self) -> str:
        return f"{self.value:#x}" if self.hex else str(self.value)


@dataclass(frozen=True, slots=True)
class Word:
    """A constant of C, by name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Text:
    """A string in quotes, its escapes read; ``more`` if dots follow it."""

    value: bytes
    more: bool = False

    def __str__(self) -> str:
        return '"' + self.value.decode("latin-1") + '"' + ("..." if self.more else "")


@dataclass(frozen=True, slots=True)
class Or:
    """Flags: ``A|B|C``."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return "|".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Field:
    """``name=value`` or ``name(length)=value``: a member of a structure."""

    name: str
    value: Expression
    length: Expression | None = None

    def __str__(self) -> str:
        length = "" if self.length is None else f"({self.length})"
        return f"{self.name}{length}={self.value}"


@dataclass(frozen=True, slots=True)
class Array:
    """``[a, b]``."""

    items: tuple[Expression, ...]

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.items))}]"


@dataclass(frozen=True, slots=True)
class Struct:
    """``{a, b}`` or ``{name=a, name=b}``."""

    items: tuple[Expression, ...]

    def field(self, name: str) -> Expression | None:
        """Return the value of a member, None if it is not given."""
        for item in self.items:
            if isinstance(item, Field) and item.name == name:
                return item.value
        return None

    def __str__(self) -> str:
        return f"{{{', '.join(map(str, self.items))}}}"


@dataclass(frozen=True, slots=True)
class Applied:
    """``htons(80)``, ``inet_addr("1.2.3.4")``."""

    name: str
    arguments: tuple[Expression, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class LabelStack:
    """An MPLS label stack: (label, traffic class, bottom, TTL) each."""

    entries: tuple[tuple[int, int, bool, int], ...]

    def __str__(self) -> str:
        return "{" + " ".join(f"(label {e[0]}, tc {e[1]}, ttl {e[3]})" for e in self.entries) + "}"


Expression: TypeAlias = Any | Number | Word | Text | Or | Field | Array | Struct | Applied | LabelStack
