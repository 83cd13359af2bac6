"""A lab's page: self-contained, the same for the same run, and right in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.show.test_browser import BROWSER, THEMES, WIDTHS, browse, rgb
from tulpen.lab.catalogue import named
from tulpen.lab.ground import Backend
from tulpen.lab.page import report
from tulpen.lab.run import run, side_by_side
from tulpen.show.report import anchor_of


def _page(name: str) -> str:
    incident = named(name)
    accounts = [run(name, Backend.SIM), run(name, Backend.STACK)]
    return report(incident, accounts, side_by_side(incident, accounts))


def test_it_needs_nothing_else() -> None:
    html = _page("nagle-delayed-ack")
    assert "http://" not in html.replace("http://www.w3.org/", "")
    assert "image/svg+xml" in html
    for words in ("What happens, and why", "Side by side", "write, write, read", "holds"):
        assert words in html


def test_it_leads_to_the_ladders_of_its_capture(tmp_path: Path) -> None:
    incident = named("close")
    accounts = [
        run("close", backend, pcap=tmp_path / f"close-{backend.value}.pcapng")
        for backend in (Backend.SIM, Backend.STACK)
    ]
    html = report(incident, accounts, side_by_side(incident, accounts))
    for account in accounts:
        assert account.captures
        path = account.captures[0]
        title = anchor_of(f"The capture {path.name}, read")
        assert f'<a href="#{title}">' in html
        assert f'<section id="{title}"' in html
        first = f"{anchor_of(path.stem)}-connection-1"
        assert f'<a href="#{first}">' in html
        assert f'<section id="{first}"' in html


def test_a_notebook_shows_pictures() -> None:
    html = run("nagle-delayed-ack", Backend.SIM)._repr_html_()
    assert html.count("<svg") >= 2  # a ladder, a plot
    assert "<table" in html


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine (apt-get install chromium)")
@pytest.mark.parametrize("theme", THEMES)
def test_in_a_browser(tmp_path: Path, theme: str) -> None:
    colours, scheme = THEMES[theme]
    for width, found in zip(WIDTHS, browse(tmp_path, scheme, _page("nagle-delayed-ack")), strict=True):
        assert found["needs"] <= found["width"] <= width, "the page itself never scrolls sideways"
        assert found["background"] == rgb(colours["paper"])
        assert found["outside"] == []
        assert found["clashes"] == []
