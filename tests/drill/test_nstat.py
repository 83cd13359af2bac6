"""nstat and the shell's arithmetic, as scripts use them in their set-up and their checks."""

from __future__ import annotations

import pytest

from tests.drill.test_runner import fails, passes, run
from tulpen.drill.arithmetic import expanded
from tulpen.drill.problems import Unsupported
from tulpen.drill.verdict import Outcome

REFUSED = "+0 < S 0:0(0) win 5\n+0 > R. 0:0(0) ack 1\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [("$((2*3+4))", "10"), ('"4096 $((32 * 1024 * 1024))"', '"4096 33554432"'), ("$((7/(1+1)))", "3"), ("a b", "a b")],
)
def test_arithmetic(text: str, value: str) -> None:
    assert expanded(text) == value


@pytest.mark.parametrize("text", ["$((1/0))", "$((x+1))", "$((2**9))", "$(('a'*9))"])
def test_no_other_arithmetic(text: str) -> None:
    with pytest.raises(Unsupported):
        expanded(text)


def test_a_count_is_compared() -> None:
    passes(f'0 `nstat -n`\n{REFUSED}{REFUSED}+0 `nstat | grep TcpOutRsts | grep -q " 2 "`')
    reason = fails(f'0 `nstat -n`\n{REFUSED}+0 `nstat | grep TcpOutRsts | grep -q " 2 "`').reason
    assert reason == "nstat:  2  has not gone up"


def test_the_history_is_left_alone_if_asked() -> None:
    passes(f'0 `nstat -n`\n{REFUSED}+0 `nstat -s | grep TcpOutRsts`\n{REFUSED}+0 `nstat -s | grep "OutRsts *2 "`')
    assert fails(f"0 `nstat -n`\n{REFUSED}+0 `nstat`\n+0 `nstat | grep TcpOutRsts`").reason


@pytest.mark.parametrize("command", ["nstat -t 1", "nstat | grep -v x", "nstat | wc -l", "nstat | grep '('"])
def test_what_is_not_understood_is_refused(command: str) -> None:
    assert run(f"0 `{command}`\n{REFUSED}").outcome is Outcome.SKIP
