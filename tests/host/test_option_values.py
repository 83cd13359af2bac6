"""What socket options take."""

from __future__ import annotations

from errno import EINVAL

import pytest

from tulpen.host.option_values import taken
from tulpen.tcp.errors import TcpError


@pytest.mark.parametrize(
    ("field", "number", "becomes"),
    [
        ("tcp_maxseg", 88, 88),
        ("tcp_maxseg", 0, None),
        ("tcp_syncnt", 127, 127),
        ("tcp_linger2", -9, -1),
        ("tcp_linger2", 0, None),
        ("tcp_linger2", 121, 120),
        ("tcp_notsent_lowat", -1, 0xFFFF_FFFF),
        ("ip_tos", 4, 4),
    ],
)
def test_what_becomes_of_it(field: str, number: int, becomes: int | None) -> None:
    assert taken(field, number) == becomes


@pytest.mark.parametrize(
    ("field", "number"),
    [("tcp_maxseg", 87), ("tcp_maxseg", 32_768), ("tcp_maxseg", -1), ("tcp_syncnt", 0), ("tcp_syncnt", 128),
     ("tcp_keepidle", 0), ("tcp_keepcnt", 128), ("tcp_keepintvl", 32_768)],
)  # fmt: skip
def test_what_is_refused(field: str, number: int) -> None:
    with pytest.raises(TcpError) as refused:
        taken(field, number)
    assert refused.value.errno == EINVAL
