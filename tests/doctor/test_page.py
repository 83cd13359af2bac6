"""The doctor's page, and the capture of what passes while it looks."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import tulpen
from tests.doctor.far import Far, wait_for
from tests.doctor.room import SOON, Room
from tests.doctor.test_queues import SERVER, Visited
from tests.link.rights import needs_network
from tulpen.cli.main import run
from tulpen.doctor.examine import examine
from tulpen.doctor.hearing import Hearing
from tulpen.doctor.page import examination_page
from tulpen.doctor.place import There
from tulpen.link.namespace import PrivateNetwork
from tulpen.tcp.state import State

pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it enters another network namespace")


@needs_root
def test_a_finding_leads_to_the_ladders_of_its_connections(room: Room, far: Far, tmp_path: Path) -> None:
    room.python(SERVER, 2, "wait")
    room.listening(8080)
    far.established(far.connect(8080, 3))
    wait_for(
        lambda: any(sock.recv_q > sock.send_q for sock in room.sockets() if sock.state is State.LISTEN), "it is full"
    )
    path = tmp_path / "now.pcapng"
    with Hearing(There("room", f"/proc/{room.network.pid}/ns/net"), path):
        far.connect(8080, 4)  # they find it full
        examination = examine([room], seconds=3.0, interval=0.5, limits=SOON, events=False)
    unanswered = {row.number for row in tulpen.read(path) if row.ended == "unanswered" and row.server_port == 8080}
    assert unanswered
    html = examination_page(examination, path)
    assert [finding.listener for finding in examination.findings if finding.check == "accept-queue"] == [
        "192.0.2.1:8080"
    ]
    links = {int(number) for number in re.findall(r'<dd><a href="#connection-(\d+)"', html)}
    assert links
    assert links <= unanswered
    for number in links:
        assert f'<section id="connection-{number}"' in html
    assert "http://" not in html.replace("http://www.w3.org/", "")


def test_a_page_without_a_capture(room: Room, far: Far) -> None:
    room.python(SERVER, 4, "accept")
    room.listening(8080)
    examination = examine([Visited(room, far)], seconds=0.5, interval=0.2, limits=SOON, events=False)
    html = examination_page(examination)
    assert "<h1>tulpen doctor</h1>" in html
    assert "looked at for" in html


@needs_root
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, pcap = tmp_path / "page.html", tmp_path / "now.pcapng"
    with PrivateNetwork(sysctls={"net.ipv4.tcp_syncookies": 0}) as network:
        words = ["doctor", "--for", "0.2", "--interval", "0.1", "--html", str(page), "--pcap", str(pcap)]
        assert run([*words, "--pid", str(network.pid)]) == 1
        assert run([*words[:-1], str(tmp_path / "no" / "such.pcapng"), "--pid", str(network.pid)]) == 2
    assert "No such file or directory" in capsys.readouterr().err
    assert "tcp_syncookies = 0" in page.read_text(encoding="utf-8")
    assert "What passed meanwhile" in page.read_text(encoding="utf-8")
    assert tulpen.read(pcap).damage == []
    assert run([*words, "--all-netns"]) == 2
    assert run([*words, "--metrics", ":0"]) == 2
