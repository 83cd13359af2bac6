"""The page in a real browser: wide and narrow, light and dark."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.show.drawn import download, every_fate
from tulpen.show.fault_story import FaultStory, fault_report
from tulpen.show.ladder import Side
from tulpen.show.report import page
from tulpen.show.style import DARK, LIGHT

if TYPE_CHECKING:
    from pathlib import Path

BROWSER: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
THEMES: Final = {"light": (LIGHT, 1), "dark": (DARK, 0)}
WIDTHS: Final = (360, 1200)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine (apt-get install chromium)")

# A page of our own holds the report in one frame for each width, and writes down what it measures.
MEASURE: Final = """<!DOCTYPE html><body>%s<pre id="measured"></pre><script>
function overlaps(a, b) {
  return a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2;
}
function measure(frame) {
  const page = frame.contentDocument, root = page.documentElement;
  const button = page.querySelector("main > button");
  if (button) { button.click(); }
  const clashes = [], outside = [];
  page.querySelectorAll("svg").forEach(svg => {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map(each => [each.textContent, each.getBoundingClientRect()]);
    texts.forEach(([words, box], i) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1) {
        outside.push(words);
      }
    });
    const level = [...svg.querySelectorAll("text:not([transform])")];
    const boxes = level.map(each => [each.textContent, each.getBoundingClientRect()]);
    boxes.forEach(([words, box], i) => boxes.slice(i + 1).forEach(([others, other]) => {
      if (overlaps(box, other)) { clashes.push([words, others]); }
    }));
  });
  const drawing = page.querySelector(".drawing .scroll");
  return {
    width: root.clientWidth, needs: root.scrollWidth, clashes, outside,
    background: getComputedStyle(page.body).backgroundColor,
    ink: getComputedStyle(page.querySelector(".label")).fill,
    bars: page.querySelectorAll("rect.st-established").length,
    scrolls: drawing.scrollWidth > drawing.clientWidth,
    open: [...page.querySelectorAll("details:not(.text)")].every(each => each.open),
    button: button && button.textContent,
  };
}
window.addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(measure);
  document.getElementById("measured").textContent = JSON.stringify(found);
});
</script>"""


def story(name: str, outcome: str) -> FaultStory:
    ladders = [download(), every_fate()]
    return FaultStory(
        name, "The server sends half of the answer and then closes.", outcome, 1.25, status=1,
        last_words="ConnectionResetError: [Errno 104] Connection reset by peer, and then a_very_long_word_" + "x" * 90,
        client=ladders[0].path(Side.LEFT), server=ladders[0].path(Side.RIGHT), ladders=ladders,
        outputs=[("standard error", "Traceback (most recent call last):\n" + "y" * 300)],
    )  # fmt: skip


def browse(folder: Path, scheme: int, html: str) -> list[dict[str, Any]]:
    assert BROWSER is not None
    (folder / "page.html").write_text(html, encoding="utf-8")
    frames = "".join(f'<iframe src="page.html" style="width:{width}px;height:900px"></iframe>' for width in WIDTHS)
    (folder / "measure.html").write_text(MEASURE % frames, encoding="utf-8")
    done = subprocess.run(
        [
            BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
            f"--blink-settings=preferredColorScheme={scheme}", f"--user-data-dir={folder / 'profile'}",
            "--virtual-time-budget=5000", "--dump-dom", (folder / "measure.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    measured = re.search(r'<pre id="measured">(.+?)</pre>', done.stdout, re.DOTALL)
    assert measured is not None, done.stdout[-2000:] + done.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(unescape(measured.group(1)))
    return found


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


@pytest.mark.parametrize("theme", THEMES)
def test_the_page(tmp_path: Path, theme: str) -> None:
    colours, scheme = THEMES[theme]
    report = fault_report([story("healthy", "ok"), story("rst", "hang")], program="curl", command="curl " + "z" * 200)
    for width, found in zip(WIDTHS, browse(tmp_path, scheme, page(report)), strict=True):
        assert found["needs"] <= found["width"] <= width, "the page itself never scrolls sideways"
        assert found["background"] == rgb(colours["paper"])
        assert found["ink"] == rgb(colours["ink"])
        assert found["bars"] == 8
        assert found["scrolls"] is (width < 800)
        assert found["button"] == "Fold all", "the script ran, and the policy let it"
        assert found["open"]
        assert found["outside"] == []
        assert found["clashes"] == []
