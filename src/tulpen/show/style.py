"""The style sheets of what is shown in a browser: colours of the states, light and dark, and their contrast.

Every state has one colour for its bar and its name.  On the page's own background all
of them have a contrast of at least 4.5 to 1 (WCAG 2.2, AA), in both themes; a test
computes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.tcp.state import State

if TYPE_CHECKING:
    from tulpen.show.ladder import Standing

LIGHT: Final[dict[str, str]] = {
    "paper": "#ffffff",
    "panel": "#f5f6f8",
    "ink": "#1b1f24",
    "dim": "#59616d",
    "line": "#d5d9df",
    "link": "#0a58ca",
    "good": "#1a7437",
    "odd": "#8a5800",
    "bad": "#b42318",
    "closed": "#59616d",
    "listen": "#0b6e82",
    "opening": "#8a5800",
    "established": "#1a7437",
    "closing": "#2357c6",
    "left": "#b3363d",
    "waiting": "#7a3fb5",
}
DARK: Final[dict[str, str]] = {
    "paper": "#14171c",
    "panel": "#1d2127",
    "ink": "#e4e7eb",
    "dim": "#9ba3ae",
    "line": "#363c45",
    "link": "#7fb0ff",
    "good": "#5bc97c",
    "odd": "#e2ab45",
    "bad": "#ff8f80",
    "closed": "#9ba3ae",
    "listen": "#4fc3d8",
    "opening": "#e2ab45",
    "established": "#5bc97c",
    "closing": "#83a9ff",
    "left": "#ff9191",
    "waiting": "#c69ff5",
}

# States of one phase share a colour: it is told by its name, and by where it stands.
PHASE: Final[dict[State, str]] = {
    State.CLOSED: "closed",
    State.LISTEN: "listen",
    State.SYN_SENT: "opening",
    State.SYN_RECEIVED: "opening",
    State.ESTABLISHED: "established",
    State.FIN_WAIT_1: "closing",
    State.FIN_WAIT_2: "closing",
    State.CLOSING: "closing",
    State.CLOSE_WAIT: "left",
    State.LAST_ACK: "left",
    State.TIME_WAIT: "waiting",
}


def state_class(standing: Standing) -> str:
    """Return the CSS classes of a standing."""
    if standing.state is None:
        return "st-unknown"
    return f"st-{PHASE[standing.state]}" + (" inferred" if standing.inferred else "")


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--t-{name}:{colour};" for name, colour in colours.items())


def themed(selector: str) -> str:
    """Return the colours as CSS variables of ``selector``, as the reader's theme is light or dark."""
    dark = f"@media(prefers-color-scheme:dark){{{selector}{{color-scheme:dark;{_variables(DARK)}}}}}"
    return f"{selector}{{color-scheme:light;{_variables(LIGHT)}}}{dark}"


# Paths of states in running text and in tables.
PATH_CSS: Final = (
    ".path span{white-space:nowrap}.path .inferred{font-style:italic}"
    + "".join(f".path .st-{phase}{{color:var(--t-{phase})}}" for phase in dict.fromkeys(PHASE.values()))
    + ".path .st-unknown{color:var(--t-dim)}"
)
_STATES: Final = "".join(
    f".tulpen-ladder .st-{phase}{{fill:var(--t-{phase})}}" for phase in dict.fromkeys(PHASE.values())
)
LADDER_CSS: Final = (
    themed(".tulpen-ladder")
    + ".tulpen-ladder{max-width:none;background:var(--t-paper);font:12.5px system-ui,-apple-system,'Segoe UI',"
    "'DejaVu Sans',sans-serif}"
    ".tulpen-ladder text{fill:var(--t-ink)}"
    ".tulpen-ladder .paper{fill:var(--t-paper)}"
    ".tulpen-ladder .name{font-size:14px;font-weight:600}"
    ".tulpen-ladder .when{fill:var(--t-dim);font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}"
    ".tulpen-ladder .label{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "paint-order:stroke;stroke:var(--t-paper);stroke-width:4px;stroke-linejoin:round}"
    ".tulpen-ladder .shaft{stroke:var(--t-dim);stroke-width:1.4;fill:none}"
    ".tulpen-ladder .head{fill:var(--t-dim);stroke:var(--t-dim);stroke-width:1.2;stroke-linejoin:round}"
    ".tulpen-ladder .bad .shaft{stroke:var(--t-bad)}"
    ".tulpen-ladder .bad .head{fill:var(--t-bad);stroke:var(--t-bad)}"
    ".tulpen-ladder .odd .shaft{stroke:var(--t-odd)}"
    ".tulpen-ladder .odd .head{fill:var(--t-odd);stroke:var(--t-odd)}"
    ".tulpen-ladder .head.hollow{fill:var(--t-paper)}"
    ".tulpen-ladder .copy .shaft{stroke-dasharray:6 4}"
    ".tulpen-ladder .folded .shaft{stroke-dasharray:1 4;stroke-width:2.4;stroke-linecap:round}"
    ".tulpen-ladder .folded .label{fill:var(--t-dim)}"
    ".tulpen-ladder .cross{stroke:var(--t-bad);stroke-width:2.2;fill:none;stroke-linecap:round}"
    ".tulpen-ladder .remark{font-size:11.5px}"
    ".tulpen-ladder tspan.bad{fill:var(--t-bad)}"
    ".tulpen-ladder tspan.odd{fill:var(--t-odd)}"
    ".tulpen-ladder text.bad{fill:var(--t-bad)}"
    ".tulpen-ladder text.odd{fill:var(--t-odd)}"
    ".tulpen-ladder text.options{fill:var(--t-dim)}"
    ".tulpen-ladder text.happening{font-style:italic}"
    ".tulpen-ladder circle.happening{fill:var(--t-ink)}"
    ".tulpen-ladder circle.bad{fill:var(--t-bad)}"
    ".tulpen-ladder .pause{stroke:var(--t-line);stroke-width:1.5;stroke-dasharray:2 5;fill:none}"
    ".tulpen-ladder .state{font-weight:600;font-size:12px}" + _STATES + ".tulpen-ladder .st-unknown{fill:var(--t-line)}"
    ".tulpen-ladder text.st-unknown{fill:var(--t-dim);font-style:italic}"
    ".tulpen-ladder rect.inferred{fill-opacity:.45}"
    ".tulpen-ladder text.inferred{font-style:italic;font-weight:500}"
)
