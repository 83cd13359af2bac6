"""What attributes a record has: its slots, or what the compiler makes of them, which keeps no ``__slots__``."""

from __future__ import annotations

from types import GetSetDescriptorType, MemberDescriptorType


def attributes(kind: type) -> list[str]:
    """Return their names, in order of the alphabet."""
    return sorted(
        name for name, each in vars(kind).items() if isinstance(each, (MemberDescriptorType, GetSetDescriptorType))
    )
