"""The page of a capture: what it says, and how it looks in a real browser, wide and narrow, light and dark."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from tests.capture.files import Talk, orderly, pcap
from tests.capture.test_tables import many
from tests.show.test_browser import BROWSER, THEMES, WIDTHS, browse, rgb
from tulpen.capture.page import DRAWN, capture_page, to_draw
from tulpen.capture.reading import Reading, read
from tulpen.cli.main import run
from tulpen.show.table import Tone
from tulpen.show.timeline import Lane, Timeline


def _page(octets: bytes) -> str:
    reading = read(io.BytesIO(octets), ladders=None)
    return capture_page(reading, {number: reading.ladder(number) for number in to_draw(reading.connections)})


def test_every_connection_has_its_part() -> None:
    html = _page(many(30))
    assert "http://" not in html.replace("http://www.w3.org/", "")
    for words in ("Overview", "Timeline", "Connections", "Nobody answered the SYN of 10.0.0.1:20002"):
        assert words in html
    anchors = set(re.findall(r'<section id="(connection-\d+)"', html))
    links = set(re.findall(r'href="#(connection-\d+)"', html))
    assert anchors == links == {f"connection-{number}" for number in range(1, 31)}
    assert html.count('class="tulpen-ladder"') == 30


def test_the_worst_are_drawn_where_not_all_can_be() -> None:
    packets = [packet for port in range(1000, 1000 + DRAWN) for packet in orderly_from(port).packets]
    packets += [packet for port in range(9000, 9050) for packet in Talk(sport=port).client("S").packets]
    reading = read(io.BytesIO(pcap(packets)))
    numbers = to_draw(reading.connections)
    assert len(numbers) == DRAWN
    assert set(range(DRAWN + 1, DRAWN + 51)) <= set(numbers)
    html = capture_page(reading, {})
    assert "tulpen read FILE --conn N" in html
    assert 'href="#connection-' not in html


def orderly_from(port: int) -> Talk:
    talk = Talk(sport=port).opened().client("F.", 1, 1)
    return talk.server("F.", 1, 2).client(".", 2, 2)


def test_what_a_file_says_is_no_markup() -> None:
    reading = read(io.BytesIO(many(3)), ladders=None)
    reading.names[0] = "<script>alert(1)</script>\u202e"
    assert "<script>alert" not in capture_page(reading, reading.ladders)
    assert "\u202e" not in capture_page(reading, reading.ladders)


def test_nothing_was_read() -> None:
    html = capture_page(read(io.BytesIO(pcap([]))), {})
    assert "0 packets" in html
    assert "<svg" in Reading()._repr_html_()


def test_a_notebook_shows_the_overview() -> None:
    html = read(io.BytesIO(many(150)))._repr_html_()
    assert "The worst 100 of 150:" in html
    assert html.count("<svg") == 1
    assert "prefers-color-scheme:dark" in html


def test_the_command_writes_it(tmp_path: Path) -> None:
    (tmp_path / "many.pcap").write_bytes(many(250))
    file = tmp_path / "page.html"
    assert run(["read", str(tmp_path / "many.pcap"), "--html", str(file)]) == 1
    html = file.read_text(encoding="utf-8")
    assert html.count('class="tulpen-ladder"') == DRAWN
    assert '<section id="connection-249"' in html, "the last of the bad ones: the worst are drawn, not the first"
    assert run(["read", str(tmp_path / "many.pcap"), "--html", str(file), "--where", "number = 249"]) == 1
    assert file.read_text(encoding="utf-8").count('class="tulpen-ladder"') == 1
    assert run(["read", str(tmp_path / "many.pcap"), "--html", str(tmp_path / "no" / "page.html")]) == 2


def test_standard_input_passes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(many(9))

    monkeypatch.setattr("sys.stdin", Stdin)
    assert run(["read", "-", "--html", str(tmp_path / "page.html")]) == 1
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count('class="tulpen-ladder"') == 9


def test_a_timeline_counts() -> None:
    svg = Timeline([Lane("#1", 5, 3, "x" * 99)], [(0, Tone.BAD), (0, Tone.PLAIN), (10, Tone.DIM)]).svg()
    assert svg.count('<rect class="bad"') == 1
    assert svg.count("<rect") == 4
    assert ">2</text>" in svg
    assert "x" * 25 not in svg


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine (apt-get install chromium)")
@pytest.mark.parametrize("theme", THEMES)
def test_in_a_browser(tmp_path: Path, theme: str) -> None:
    colours, scheme = THEMES[theme]
    six = Talk(six=True).opened().client("F.", 1, 1)
    html = _page(pcap(orderly().packets + six.packets) + many(12)[24:])
    for width, found in zip(WIDTHS, browse(tmp_path, scheme, html), strict=True):
        assert found["needs"] <= found["width"] <= width, "the page itself never scrolls sideways"
        assert found["background"] == rgb(colours["paper"])
        assert found["ink"] == rgb(colours["ink"])
        assert found["button"] == "Fold all"
        assert found["open"]
        assert found["outside"] == []
        assert found["clashes"] == []
