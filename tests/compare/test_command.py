"""``tulpen compare``: the engine and the Linux that runs here."""

from __future__ import annotations

import json
import sys

import pytest

from tests.link.rights import needs_network
from tulpen.cli.main import run
from tulpen.compare.known import Known, known
from tulpen.compare.run import Limits, compare
from tulpen.compare.sides import Sides
from tulpen.learn.engine import Engine
from tulpen.learn.linux import Linux

needs_linux = [pytest.mark.root, pytest.mark.kernel, needs_network]


def linux_6_18() -> bool:
    import os

    return os.uname().release.startswith("6.18")


class TestHere:
    pytestmark = needs_linux

    @pytest.mark.skipif(not linux_6_18(), reason="the known differences are those of Linux 6.18")
    def test_nothing_is_new(self, capsys: pytest.CaptureFixture[str]) -> None:
        status = run(["compare", "--words", "3000", "--seed", "11", "--json"])
        found = json.loads(capsys.readouterr().out)
        assert found["new"] == []
        assert status == 0
        assert len(found["states"]) == 11
        assert len(found["known"]) >= 10

    def test_without_the_table_the_differences_are_new(self) -> None:
        sides = Sides(Engine(), Linux())
        try:
            findings = compare(sides, (), Limits(words=400), seed=11)
        finally:
            sides.close()
        words = {" ".join(found.word) for found in findings.new}
        assert any(word.startswith("CONNECT SYN") for word in words)
        assert all(len(found.word) <= 8 for found in findings.new)

    @pytest.mark.skipif(not linux_6_18(), reason="the known differences are those of Linux 6.18")
    @pytest.mark.parametrize(
        "row",
        [row for row in known() if "moment" not in row.word and "SYN+ACK_R" not in row.word],
        ids=lambda row: row.id,
    )
    def test_every_known_difference_is_there(self, row: Known) -> None:
        word = row.word.split()
        sides = Sides(Engine(), Linux())
        try:
            found = sides.run(word).difference
        finally:
            sides.close()
        if found is None:
            pytest.skip("tulpen and Linux agree here by now: the row may go")
        assert found.word == tuple(word)
        assert row.explains(found)

    def test_one_word(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["compare", "--word", "LISTEN SYN ACK DATA"]) == 0
        out = capsys.readouterr().out
        assert out.count("ESTABLISHED") == 4
        assert "<" not in out

    def test_real_programs_are_followed(self, capsys: pytest.CaptureFixture[str]) -> None:
        server = f"{sys.executable} -m http.server 8000"
        # Reads until the server has closed: were the length told, both might close at once.
        fetch = (
            "import socket; s = socket.create_connection(('{host}', 8000));"
            r"s.sendall(b'GET / HTTP/1.0\r\n\r\n'); list(iter(lambda: s.recv(65536), b''))"
        )
        args = ["compare", "--json", "--repeat", "2", "--serve", server, "--", sys.executable, "-c", fetch]
        assert run(args) == 0
        found = json.loads(capsys.readouterr().out)
        assert len(found) == 4
        assert {each["state"] for each in found} == {"CLOSED", "TIME-WAIT"}
        assert all(each["packets"] >= 8 and not each["refused"] for each in found)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--word", "SYN FOO"], "'FOO' is none of"),
        (["--word", ""], "at least one letter"),
        (["--serve", "x"], "stands after --"),
    ],
)
def test_what_is_no_word(args: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", *args]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
