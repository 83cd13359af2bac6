"""Is it well-formed HTML, and does it ask for anything from outside?"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

VOID: Final = frozenset({"meta", "img"})
ALLOWED: Final = frozenset(
    {"html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "section", "script"}
    | {"h1", "h2", "p", "a", "ol", "li", "dl", "dt", "dd", "div", "span", "code", "pre", "figure", "figcaption", "img"}
    | {"table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary"}
    | {"svg", "g", "rect", "path", "text", "tspan", "circle"}
)
ATTRIBUTES: Final = frozenset({"href", "src"})


class Markup(HTMLParser):
    """Reads a document or a part of one; raises AssertionError on what no browser should be asked to mend."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Check an element's attributes, and remember to see it closed."""
        assert tag in ALLOWED, tag
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice: {names}"
        assert not [name for name in names if name.startswith("on")], f"{tag} has a handler"
        for name, value in attrs:
            if name == "id":
                assert value
                self.ids.append(value)
            if name in ATTRIBUTES:
                assert value is not None
                assert not value.lower().startswith(("javascript:", "vbscript:")), value
                self.targets.append(value)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take ``<path/>``, as SVG has it."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost open element is the one that is closed."""
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.texts.append(data)


def check(html: str) -> Markup:
    """Read it all and return what was found."""
    markup = Markup()
    markup.feed(html)
    markup.close()
    assert markup.open == [], f"left open: {markup.open}"
    assert len(markup.ids) == len(set(markup.ids)), "an id twice"
    return markup
