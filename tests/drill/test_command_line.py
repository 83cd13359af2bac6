"""The command line: packetdrill's own options, IPv6, and the shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tulpen.cli.main import run

LISTENING = """\
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 5000 <mss 1000>
"""
OF_IPV4 = f"{LISTENING}+0 > S. 0:0(0) ack 1 <mss 1460>\n"
OF_IPV6 = f"{LISTENING}+0 > S. 0:0(0) ack 1 <mss 1440>\n"


def script(folder: Path, text: str, name: str = "script.pkt") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("where", [slice(0, 0), slice(1, 1)])
def test_packetdrills_options_stand_before_and_behind_scripts(tmp_path: Path, where: slice) -> None:
    arguments = [script(tmp_path, OF_IPV6)]
    arguments[where] = ["--ip_version=ipv6", "--is_anyip"]
    assert run(["drill", *arguments]) == 0


def test_packetdrills_options_are_obeyed_to_the_letter(tmp_path: Path) -> None:
    path = script(tmp_path, OF_IPV4)
    assert run(["drill", "--ip_version=ipv6", path]) == 1
    assert run(["drill", "--ip_version=ipv6", "--mtu=1520", path]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ip_versoin=ipv6", "x.pkt"], "No such option '--ip_versoin'. Did you mean '--ip_version'?"),
        (["-x", "x.pkt"], "No such option '-x'."),
        (["--mtu=1500"], "Missing argument 'SCRIPT...'."),
        (["--shell", "--kernel", "x.pkt"], "--shell and --kernel exclude each other"),
    ],
)
def test_bad_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_over_ipv6_the_segments_of_ipv4s_scripts_stay_as_long(tmp_path: Path) -> None:
    assert run(["drill", "-6", script(tmp_path, OF_IPV4)]) == 0


@pytest.mark.parametrize(
    ("name", "lines"), [("of-v6.pkt", ""), ("of.pkt", "--ip_version=ipv6\n"), ("of.pkt", "--mtu=1500\n")]
)
def test_scripts_that_say_that_they_are_of_ipv6_or_their_mtu_are_let_be(tmp_path: Path, name: str, lines: str) -> None:
    assert run(["drill", "-6", script(tmp_path, f"{lines}{OF_IPV6}", name)]) == 0


def test_no_command_is_run_unless_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = tmp_path / "left"
    path = script(tmp_path, f"0 `sysctl -q net.ipv4.tcp_sack=0\ntouch {left}`\n")
    assert run(["drill", path]) == 0
    assert f"needs the command 'touch {left}'" in capsys.readouterr().out
    assert not left.exists()
    assert run(["drill", "--shell", path]) == 0
    assert left.exists()


def test_what_is_understood_is_not_run(tmp_path: Path) -> None:
    path = script(tmp_path, f"`sysctl -q net.ipv4.tcp_sack=0`\n{LISTENING}".replace("1000>", "1000,sackOK,nop,nop>"))
    with Path(path).open("a") as file:
        file.write("+0 > S. 0:0(0) ack 1 <mss 1460>\n")
    assert run(["drill", "--shell", path]) == 0


def test_a_command_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["drill", "--shell", script(tmp_path, "0 `exit 3`\n")]) == 1
    assert "the command 'exit 3' ended with status 3" in capsys.readouterr().out
