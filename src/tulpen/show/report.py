"""A report: one HTML page that needs nothing else.  No network, no fonts, no script to read it.

Templates are not used: a page is a handful of kinds of block, each one short function
over ``html.escape``, and the base dependencies stay two.  All that a program under test
said or was called goes through ``safe``; the page's content security policy forbids
everything but its own style sheet and its one script, which folds and unfolds.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from urllib.parse import urlsplit

from tulpen.show.ladder import Ladder
from tulpen.show.ladder_svg import ladder_svg
from tulpen.show.ladder_text import ladder_text
from tulpen.show.page_style import PAGE_CSS, SCRIPT
from tulpen.show.table import Table, Tone
from tulpen.show.timeline import Timeline

_LANGUAGE: Final = "en"
TEXT_WIDTH: Final = 100  # of a ladder as text


@dataclass(slots=True)
class Prose:
    """Paragraphs, parted by empty lines; what stands between backticks is code."""

    text: str


@dataclass(slots=True)
class Output:
    """What a program said, letter by letter."""

    text: str
    caption: str = ""


@dataclass(slots=True)
class Facts:
    """Names and what they are: a short list of pairs; a value may be a ``Link``."""

    pairs: Sequence[tuple[str, str | Link]]


@dataclass(slots=True)
class Link:
    """Words that lead to a place on the page (``#name``), to a file beside it, or to the web."""

    words: str
    href: str


@dataclass(slots=True)
class Figure:
    """A picture that something else drew: SVG, PNG; ``alt`` says what is to be seen on it."""

    picture: bytes
    alt: str
    caption: str = ""
    media_type: str = "image/svg+xml"


@dataclass(slots=True)
class Drawing:
    """A ladder with its caption."""

    ladder: Ladder
    caption: str = ""
    show_all: bool = False


@dataclass(slots=True)
class Folded:
    """Blocks behind a line that unfolds them."""

    summary: str
    blocks: Sequence[Block]
    open: bool = False


Block = Prose | Output | Facts | Figure | Drawing | Ladder | Folded | Timeline | Table[Any]


@dataclass(slots=True)
class Section:
    """A part of the page under a heading of its own."""

    title: str
    blocks: Sequence[Block] = ()
    anchor: str = ""  # "": made from the title
    verdict: str = ""  # one word beside the heading
    tone: Tone = Tone.PLAIN  # its colour
    listed: bool = True  # in the table of contents


@dataclass(slots=True)
class Report:
    """A whole page."""

    title: str
    lead: str = ""
    sections: Sequence[Section] = ()
    facts: Sequence[tuple[str, str | Link]] = ()  # the circumstances, under the lead
    footer: str = ""


def page(report: Report) -> str:
    """Return the report as a complete HTML document."""
    names = _anchors(report.sections)
    body = "".join(_section(section, name) for section, name in zip(report.sections, names, strict=True))
    listed = [(section, name) for section, name in zip(report.sections, names, strict=True) if section.listed]
    contents = "".join(
        f'<li><a href="#{name}">{safe(section.title)}</a>{_badge(section)}</li>' for section, name in listed
    )
    nav = f'<nav aria-label="Contents"><ol>{contents}</ol></nav>' if len(listed) > 2 else ""
    lead = f'<div class="lead">{_prose(report.lead)}</div>' if report.lead else ""
    facts = _facts(report.facts) if report.facts else ""
    footer = f"<footer>{_prose(report.footer)}</footer>" if report.footer else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{_LANGUAGE}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{safe(report.title)}</title>\n<style>{PAGE_CSS}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#content">To the content</a>\n'
        f"<header><h1>{safe(report.title)}</h1>{lead}{facts}</header>\n{nav}\n"
        f'<main id="content">\n{body}</main>\n{footer}\n<script>{SCRIPT}</script>\n</body>\n</html>\n'
    )


def anchor_of(title: str) -> str:
    """Return the id that a section of this title or anchor gets, where no earlier one has it."""
    letters = "".join(c if c.isascii() and c.isalnum() else " " for c in title.lower())
    return "-".join(letters.split()) or "section"


def safe(text: str) -> str:
    """Return foreign text as HTML on one line: markup escaped, control and direction characters spelled out."""
    return escape(_visible(text))


def _visible(text: str, keep: str = "") -> str:
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode("ascii") for c in text)


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"


def _anchors(sections: Sequence[Section]) -> list[str]:
    """Return an id for every section, all different."""
    taken = {"content"}
    names = []
    for section in sections:
        name = anchor_of(section.anchor or section.title)
        number, free = 2, name
        while free in taken:
            free, number = f"{name}-{number}", number + 1
        taken.add(free)
        names.append(free)
    return names


def _badge(section: Section) -> str:
    if not section.verdict:
        return ""
    return f' <span class="badge {section.tone.value}">{safe(section.verdict)}</span>'


def _section(section: Section, name: str) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks)
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">'
        f"{safe(section.title)}{_badge(section)}</h2>\n{blocks}</section>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Prose):
        return _prose(block.text)
    if isinstance(block, Output):
        return _output(block)
    if isinstance(block, Facts):
        return _facts(block.pairs)
    if isinstance(block, Figure):
        return _figure(block)
    if isinstance(block, Ladder):
        return _drawing(Drawing(block))
    if isinstance(block, Drawing):
        return _drawing(block)
    if isinstance(block, Folded):
        return _folded(block)
    return block.to_html()


def _prose(text: str) -> str:
    paragraphs = [part for part in text.split("\n\n") if part.strip()]
    return "".join(f"<p>{_inline(' '.join(part.split()))}</p>" for part in paragraphs)


def _inline(text: str) -> str:
    # Every second part stands between backticks; an odd backtick is one.
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return "".join(f"<code>{safe(part)}</code>" if i % 2 else safe(part) for i, part in enumerate(parts))


def _output(block: Output) -> str:
    caption = f"<figcaption>{_inline(block.caption)}</figcaption>" if block.caption else ""
    name = escape(_visible(block.caption or "Output"))
    text = escape(_visible(block.text, keep="\n\t"))
    return f'<figure class="output">{caption}<pre tabindex="0" role="region" aria-label="{name}">{text}</pre></figure>'


def _facts(pairs: Sequence[tuple[str, str | Link]]) -> str:
    rows = "".join(f"<div><dt>{safe(name)}</dt><dd>{_value(value)}</dd></div>" for name, value in pairs)
    return f"<dl>{rows}</dl>"


def _value(value: str | Link) -> str:
    if isinstance(value, str):
        return _inline(value)
    if not _may_lead_to(value.href):
        return safe(value.words)
    return f'<a href="{safe(value.href)}">{safe(value.words)}</a>'


def _may_lead_to(href: str) -> bool:
    try:
        return urlsplit(href).scheme in ("", "http", "https")
    except ValueError:
        return False


def _figure(block: Figure) -> str:
    picture = base64.b64encode(block.picture).decode("ascii")
    caption = f"<figcaption>{_inline(block.caption)}</figcaption>" if block.caption else ""
    source = f"data:{safe(block.media_type)};base64,{picture}"
    return f'<figure class="picture"><img src="{source}" alt="{safe(block.alt)}">{caption}</figure>'


def _drawing(block: Drawing) -> str:
    name = safe(block.caption or block.ladder.title or "Ladder")
    caption = block.caption or block.ladder.title
    words = f"<figcaption>{_inline(caption)}</figcaption>" if caption else ""
    drawn = ladder_svg(block.ladder, style=False, show_all=block.show_all)
    text = escape(ladder_text(block.ladder, TEXT_WIDTH, show_all=block.show_all))
    return (
        f'<figure class="drawing">{words}<div class="scroll" role="region" aria-label="{name}" tabindex="0">'
        f'{drawn}</div><details class="text"><summary>As text</summary><pre tabindex="0">{text}</pre></details>'
        "</figure>"
    )


def _folded(block: Folded) -> str:
    inside = "\n".join(_block(each) for each in block.blocks)
    return f"<details{' open' * block.open}><summary>{_inline(block.summary)}</summary>\n{inside}</details>"
