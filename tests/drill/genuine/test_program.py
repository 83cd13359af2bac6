from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.drill.genuine import stand_in
from tulpen.drill.drill import Plan, drill
from tulpen.drill.verdict import Outcome, Verdict

pytestmark = [
    pytest.mark.skipif(not (shutil.which("cc") or shutil.which("gcc")), reason="needs a C compiler"),
    pytest.mark.skipif(sys.platform != "linux", reason="needs Linux"),
]
ROOT = Path(stand_in.__file__).parents[3]


def judged(folder: Path, role: str, text: str = "0 socket(..., SOCK_STREAM, 0) = 3\n") -> Verdict:
    program = folder / "packetdrill"
    start = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'src')!r}]"
    program.write_text(
        f"#!{sys.executable}\n{start}\nfrom tests.drill.genuine.stand_in import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    script = folder / f"{role}.pkt"
    script.write_text(text)
    return drill(str(script), Plan(program=str(program)))


@pytest.mark.parametrize("role", ["passes", "blocks", "commands"])
def test_what_the_program_finds_right_passes(tmp_path: Path, role: str) -> None:
    verdict = judged(tmp_path, role)
    assert (verdict.outcome, verdict.reason) == (Outcome.PASS, "")


def test_what_it_finds_wrong_fails_with_its_words(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "fails", "// one\n+0 > . 1:1(0) ack 1\n")
    assert verdict.outcome is Outcome.FAIL
    assert (verdict.line, verdict.text) == (2, "+0 > . 1:1(0) ack 1")
    assert verdict.reason == "error handling packet: live packet field tcp_psh: expected: 0 vs actual: 1"
    assert (verdict.expected, verdict.got) == (" 0.1 . 1:1(0) ack 1", " 0.1 P. 1:1(0) ack 1")


def test_what_is_no_script_to_it_is_an_error(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "misspelt")
    assert (verdict.outcome, verdict.line) == (Outcome.ERROR, 1)
    assert "parse error" in verdict.reason


def test_a_constant_it_has_not_skips(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "unknown")
    assert (verdict.outcome, verdict.reason) == (Outcome.SKIP, "needs a packetdrill that knows TCP_NOOPT")


def test_a_packet_that_never_comes_ends_the_run(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "waits")
    assert (verdict.outcome, verdict.reason, verdict.line) == (Outcome.FAIL, "no packet was sent", 1)


@pytest.mark.parametrize("role", ["dangers", "writes"])
def test_a_script_touches_nothing(tmp_path: Path, role: str) -> None:
    verdict = judged(tmp_path, role)
    assert verdict.outcome is Outcome.SKIP
    assert not (tmp_path / f"{role}.touched").exists()


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("assert tcpi_state == TCP_ESTABLISHED", Outcome.PASS, ""),
        ("assert tcpi_state == 4", Outcome.FAIL, "the assertion does not hold"),
        ("assert tcpi_no_such == 0", Outcome.SKIP, "needs the field tcpi_no_such of struct tcp_info"),
        ("open('/etc/passwd')", Outcome.FAIL, "the code fails: NameError: name 'open' is not defined"),
        ("import os", Outcome.SKIP, "needs code with Import"),
    ],
)
def test_its_python_is_run_here_and_may_only_compute(tmp_path: Path, code: str, outcome: Outcome, reason: str) -> None:
    verdict = judged(tmp_path, "asserts", code)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_another_program_is_no_packetdrill(tmp_path: Path) -> None:
    script = tmp_path / "a.pkt"
    script.write_text("")
    verdict = drill(str(script), Plan(program=shutil.which("true")))
    assert verdict.outcome is Outcome.ERROR
    assert "no packetdrill" in verdict.reason
