"""The words of a filter, and the sockets that they select."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.kernel.messages import record
from tulpen.errors import TulpenError
from tulpen.kernel.processes import Process, Processes
from tulpen.kernel.selection import selection
from tulpen.kernel.state_names import state_bits
from tulpen.kernel.table import Table
from tulpen.kernel.view import View
from tulpen.wire.address import address


def _view() -> View:
    table = Table(
        records=b"".join(
            (
                record(local=address("10.0.0.1"), local_port=443, remote=address("192.0.2.7"), inode=1),
                record(local=address("10.0.0.1"), local_port=6000, remote=address("192.0.2.8"), remote_port=443, uid=7),
                record(family=10, local=bytes(16), local_port=22, remote=bytes(16), remote_port=0, state=10, inode=3),
                record(
                    family=10, local=address("2001:db8::1"), local_port=22, remote=address("2001:db8::2"),
                    remote_port=443, inode=4, interface=2,
                ),
                record(
                    family=10, local=bytes(10) + b"\xff\xff" + address("10.0.0.1"), local_port=22,
                    remote=bytes(10) + b"\xff\xff" + address("192.0.2.9"), remote_port=7000, inode=5,
                ),
            )
        )
    )  # fmt: skip
    found = [Process(10, "nginx", [1, 5], [3, 4]), Process(20, "sshd", [3, 4, 5], [3, 5, 6])]
    return View(table, None, Processes(found, 0, "/proc"), detailed=False)


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("dport = :443", [1, 3]),
        ("dport :443", [1, 3]),
        ("dport = 443", [1, 3]),
        ("dport = :https", [1, 3]),
        ("dport=:443", [1, 3]),
        ("dport eq :443", [1, 3]),
        ("dport != :443", [0, 2, 4]),
        ("dport neq :443", [0, 2, 4]),
        ("sport < :443", [2, 3, 4]),
        ("sport le 443", [0, 2, 3, 4]),
        ("sport >= :443", [0, 1]),
        ("sport gt :443", [1]),
        ("src 10.0.0.1", [0, 1, 4]),
        ("src = 10.0.0.1:443", [0]),
        ("src 10.0.0.1:*", [0, 1, 4]),
        ("dst 192.0.2.0/29", [0]),
        ("dst 192.0.2.0/24", [0, 1, 4]),
        ("dst != 192.0.2.0/24", [2, 3]),
        ("dst inet:192.0.2.0/24", [0, 1, 4]),
        ("src :22", [2, 3, 4]),
        ("src *:22", [2, 3, 4]),
        ("dst *", [0, 1, 2, 3, 4]),
        ("src 2001:db8::1", [3]),
        ("src [2001:db8::1]:22", [3]),
        ("src [2001:db8::1]:23", []),
        ("src [2001:db8::]/32", [3]),
        ("src 2001:db8::/32", [3]),
        ("src 0.0.0.0/0", [0, 1, 4]),
        ("sport = :22 and dport = :443", [3]),
        ("sport = :22 dport = :443", [3]),
        ("sport = :22 && ! dport = :443", [2, 4]),
        ("sport = :443 or dport = :443", [0, 1, 3]),
        ("( sport = :443 or dport = :443 ) and not src 10.0.0.1", [3]),
        ("(sport = :443 | sport = :22) & dst 192.0.2.0/24", [0, 4]),
        ("not ( not sport = :443 )", [0]),
        ("process = nginx", [0, 4]),
        ("process sshd", [2, 3, 4]),
        ("process != sshd", [0, 1]),
        ("pid = 10 or pid = 20", [0, 2, 3, 4]),
        ("uid = 7", [1]),
        ("user != 7", [0, 2, 3, 4]),
        ("inode = 4", [3]),
        ("dev = 2", [3]),
        ("state all dport = :443", [1, 3]),
    ],
)
def test_what_is_selected(words: str, rows: list[int]) -> None:
    found, view = selection(words.split()), _view()
    test = found.maker(view) if found.maker else lambda _: True
    assert [row for row in view.rows if test(row)] == rows
    assert found.processes == any(word in words for word in ("process", "pid"))


@pytest.mark.parametrize(
    ("words", "bits"),
    [
        ("", None),
        ("state close-wait", 1 << 8),
        ("state CLOSE_WAIT", 1 << 8),
        ("state syn-recv", 1 << 3 | 1 << 12),
        ("state syn-received", 1 << 3 | 1 << 12),
        ("state fin-wait-1 state fin-wait-2", 1 << 4 | 1 << 5),
        ("state fin-wait-1 fin-wait-2", 1 << 4 | 1 << 5),
        ("state listening", 1 << 10),
        ("state bucket", 1 << 3 | 1 << 12 | 1 << 6),
        ("exclude time-wait", state_bits("all") & ~(1 << 6)),
        ("state connected exclude time-wait", state_bits("connected") & ~(1 << 6)),
        ("state established dport = :443", 1 << 1),
    ],
)
def test_states_go_to_the_kernel(words: str, bits: int | None) -> None:
    assert selection(words.split()).states == bits


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("state", "takes the name of a state"),
        ("state foo", "'foo' is no state"),
        ("bogus", "'bogus' is no word"),
        ("dport", "takes a value"),
        ("dport = ", "takes a value"),
        ("dport = :99999", "no port"),
        ("dport = :nosuchservice", "no port"),
        ("src < 10.0.0.1", "takes = or !="),
        ("src 10.0.0.256", "no address"),
        ("src 10.0.0.0/33", "no address"),
        ("src example.com", "no address"),
        ("src [::1", "no address"),
        ("( sport = :1", "not closed"),
        ("( " * 100_000, "too many parentheses"),
        ("sport = :1 )", "nothing can follow"),
        ("sport = :1 or", "too early"),
        ("not", "too early"),
        ("pid = me", "takes a number"),
        ("user = nosuchuser", "no user"),
        ("dev = nosuchdev", "no interface"),
    ],
)
def test_what_is_wrong_is_said(words: str, says: str) -> None:
    with pytest.raises(TulpenError, match="filter") as error:
        selection(words.split())
    assert says in str(error.value)


TOKENS = st.sampled_from(
    [
        "state",
        "exclude",
        "close-wait",
        "all",
        "sport",
        "dport",
        "src",
        "dst",
        "process",
        "pid",
        "user",
        "inode",
        "dev",
        "=",
        "!=",
        "<",
        "<=",
        "!",
        "not",
        "and",
        "or",
        "(",
        ")",
        ":80",
        "80",
        "10.0.0.1",
        "10.0.0.0/8",
        "[::1]:80",
        "::1",
        "*",
        ":*",
        "[",
        "]",
        "/",
        ":",
        "²",
        "0",
    ]
)


@given(st.lists(st.one_of(TOKENS, st.text(max_size=6)), max_size=12))
@example(["src", "\0"])
@example(["user", "=", "\0"])
@example(["dev", "=", "x" * 99])
@example(["sport", "=", ":" + "9" * 5000])
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    try:
        found = selection(words)
    except TulpenError:
        return
    if found.maker is not None:
        view = _view()
        test = found.maker(view)
        assert all(test(row) in (True, False) for row in view.rows)


def test_a_user_by_name() -> None:
    import pwd

    view = _view()
    found = selection(["user", "=", pwd.getpwuid(os.getuid()).pw_name])
    assert found.maker is not None
    test = found.maker(view)
    assert [row for row in view.rows if test(row)] == [row for row in view.rows if view.uids[row] == os.getuid()]
