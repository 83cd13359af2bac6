"""A report's page: well-formed, self-contained, and nothing a program said is taken for markup."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.show.drawn import download, every_fate
from tests.show.markup import Markup, check
from tulpen.show.fault_story import FaultStory, fault_report, fault_table, status_text
from tulpen.show.ladder import Ladder, Side
from tulpen.show.ladder_svg import ladder_svg
from tulpen.show.page_style import SCRIPT
from tulpen.show.report import (
    Drawing,
    Facts,
    Figure,
    Folded,
    Link,
    Output,
    Prose,
    Report,
    Section,
    anchor_of,
    page,
    safe,
)
from tulpen.show.table import Column, Table, Tone

EVIL = "</pre></td><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\x00\x1b[31m\u202e\ud800"


def story(fault: str = "healthy", outcome: str = "ok", **more: object) -> FaultStory:
    ladder = download(20)
    made = FaultStory(
        fault, "Nothing goes wrong.", outcome, 0.5, client=ladder.path(Side.LEFT), server=ladder.path(Side.RIGHT),
        ladders=[ladder],
    )  # fmt: skip
    for name, value in more.items():
        setattr(made, name, value)
    return made


def whole(report: Report) -> Markup:
    html = page(report)
    assert html.startswith("<!DOCTYPE html>\n")
    return check(html.removeprefix("<!DOCTYPE html>\n"))


def every_block(words: str) -> Report:
    column: Column[str] = Column("a", words, lambda row: row, link=lambda row: f"#{anchor_of(row)}")
    table = Table([column], [words], caption=words)
    ladder = every_fate()
    ladder.title = ladder.left.name = ladder.right.address = words
    return Report(
        words, words,
        [
            Section(words, [Prose(words), Output(words, words), Facts([(words, words), (words, Link(words, words))])]),
            Section(words, [table, ladder, Drawing(ladder, words), Figure(b"<svg/>", words, words)], verdict=words),
            Section(words, [Folded(words, [Prose(words)], open=True)], tone=Tone.BAD, verdict="x"),
        ],
        facts=[(words, words)], footer=words,
    )  # fmt: skip


def test_a_page_of_faults() -> None:
    markup = whole(
        fault_report(
            [story(control=True), story("syn-never-answered", "hang", status=None), story("fin-at-byte", "wrong")],
            program="curl", command="curl -sS {url}", facts=[("Machine", "Linux")], footer="tulpen",
        )
    )  # fmt: skip
    text = " ".join(markup.texts)
    assert "What does curl do when TCP goes wrong?" in text
    assert "It was still waiting at the deadline under syn-never-answered." in text
    assert markup.tags.count("h1") == 1
    assert markup.tags.count("svg") == 3
    assert all(target[1:] in markup.ids for target in markup.targets if target.startswith("#"))


def test_it_asks_for_nothing_from_outside() -> None:
    html = page(every_block("x"))
    assert not re.search(r"""(?:src|href)=["'](?!#|data:|x["'])""", html)
    assert "url(" not in html
    assert "@import" not in html
    assert "http:" not in html.replace("http://www.w3.org/2000/svg", "")
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'" in html
    assert html.count("<script>") == 1


def test_what_a_program_says_stays_text() -> None:
    markup = whole(every_block(EVIL))
    assert markup.tags.count("script") == 1
    assert markup.tags.count("img") == 1, "the figure's own"
    assert not any("\x1b" in each or "\u202e" in each or "\x00" in each for each in markup.texts)
    page(every_block(EVIL)).encode("utf-8")


def test_a_fault_whose_program_says_evil_things() -> None:
    evil = story(EVIL, EVIL, last_words=EVIL, notes=[EVIL], outputs=[(EVIL, EVIL)], summary=EVIL, pcap=EVIL, good=EVIL)
    markup = whole(fault_report([evil], program=EVIL, command=EVIL))
    assert markup.tags.count("script") == 1
    assert "img" not in markup.tags


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_any_words(words: str) -> None:
    whole(every_block(words))


@settings(max_examples=60)
@given(st.text("<>&\"'`/=- \n;:#xX!javscript", max_size=40))
def test_words_that_look_like_markup(words: str) -> None:
    markup = whole(every_block(words))
    assert markup.tags.count("script") == 1
    assert markup.tags.count("img") == 1


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "http://[", "file:x"]
)
def test_links_lead_to_pages_and_files_alone(href: str) -> None:
    assert whole(Report("t", facts=[("a", Link("words", href))])).targets == ["#content"]


def test_a_capture_whose_name_has_a_colon_is_a_file() -> None:
    markup = whole(fault_report([story(pcap="rst:bytes=1.pcapng")], program="x", command="x"))
    assert "./rst%3Abytes%3D1.pcapng" in markup.targets


def test_anchors_are_all_different() -> None:
    markup = whole(Report("t", sections=[Section("Same"), Section("same!"), Section("content"), Section("§")]))
    assert [name for name in markup.ids if not name.endswith("-title")] == [
        "content", "same", "same-2", "content-2", "section",
    ]  # fmt: skip


def test_prose_has_code_and_paragraphs() -> None:
    html = page(Report("t", "one `ss -tan`\nline\n\ntwo ` odd"))
    assert "<p>one <code>ss -tan</code> line</p><p>two ` odd</p>" in html


def test_a_ladders_picture() -> None:
    for ladder in (download(), every_fate()):
        for style in (True, False):
            markup = check(ladder_svg(ladder, style=style))
            assert "style" in markup.tags or not style
    assert "lost" in " ".join(check(ladder_svg(every_fate())).texts)


def test_a_picture_says_in_words_what_it_shows() -> None:
    svg = ladder_svg(download(3))
    assert 'role="img"' in svg
    assert "States of python (Linux): SYN-SENT &gt; ESTABLISHED &gt; CLOSE-WAIT" in svg


def test_a_picture_without_anything() -> None:
    check(ladder_svg(Ladder(download(1).left, download(1).right)))


def test_safe_text() -> None:
    assert safe("<a>\n&\x07") == "&lt;a&gt;\\n&amp;\\x07"


def test_status() -> None:
    assert [status_text(each) for each in (None, 0, 3, -11)] == ["stopped", "0", "3", "signal 11"]


def test_the_table_of_faults_in_json() -> None:
    (row,) = fault_table([story(last_words="x")]).to_json()
    assert row["client"] == ["CLOSED", "SYN-SENT", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED?"]
    assert (row["outcome"], row["fine"], row["status"], row["last_words"]) == ("ok", True, None, "x")
