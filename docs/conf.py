"""How Sphinx builds the documentation. Pages made from tables are made at every build and never committed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import MemberDescriptorType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "src"), str(HERE.parent)]

from tulpen import __version__  # noqa: E402

project = "tulpen"
author = "The tulpen authors"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "tables", "results", "commands", "ladders"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_ext", "_generated"]
myst_enable_extensions = ["deflist", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True

# Types in signatures link to their pages where they have one and stay plain text where not; all else must resolve.
nitpicky = True
nitpick_ignore_regex = [("py:class", r".*")]


def skip_slots(app: object, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:
    """Leave out the bare slots of a class: they are described, if at all, where they are set."""
    return True if isinstance(obj, MemberDescriptorType) or "SLOTSATTR" in repr(obj) else None


def setup(app: Sphinx) -> None:
    """Connect what this file adds."""
    app.connect("autodoc-skip-member", skip_slots)


html_theme = "furo"
html_title = f"tulpen {version}"
html_static_path = ["_static"]
html_css_files = ["tulpen.css"]
html_theme_options = {"navigation_with_keys": True}
html_show_sphinx = False
