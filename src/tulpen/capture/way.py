"""How captures are read: by the exact reader alone, or by the compiled pass first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from tulpen.capture.quick.single_pass import SinglePass

LARGE: Final = 24 << 20  # octets of files for which it pays to load the compiled pass
LARGEST: Final = 128 << 20  # for which it pays to compile it first, where that was not done on this machine


class Way(Enum):
    """Both tell the same."""

    AUTO = "auto"  # compiled where files are large enough, and numba is installed
    EXACT = "exact"
    COMPILED = "compiled"


def compiled(sources: Sequence[object], way: Way) -> type[SinglePass] | None:
    """Return what reads these sources in compiled code; None where the exact reader is to do it.

    Raises TulpenError where it is wanted and cannot be: it reads files twice, and needs numba.
    """
    if way is Way.EXACT:
        return None
    paths = [Path(source) for source in sources if isinstance(source, (str, os.PathLike)) and os.fspath(source) != "-"]
    suited = bool(paths) and len(paths) == len(sources) and all(path.is_file() for path in paths)
    size = sum(path.stat().st_size for path in paths) if suited else 0
    if way is Way.AUTO and size < LARGE:
        return None
    if not suited:
        raise TulpenError("the compiled pass reads files twice: name files, not a stream")
    try:
        from tulpen.capture.quick.compiled import is_kept
        from tulpen.capture.quick.following import follow
        from tulpen.capture.quick.single_pass import SinglePass

        if way is Way.AUTO and size < LARGEST and not is_kept(follow):
            return None
    except Exception as error:  # noqa: BLE001 (a numba that does not fit numpy or Python raises whatever it likes)
        if way is Way.AUTO:
            return None
        raise TulpenError(f"the compiled pass needs numba ({error})", "pip install 'tulpen[read]'") from None
    return SinglePass
