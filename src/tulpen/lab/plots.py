"""Curves as SVG, by matplotlib (the extra ``lab``); legible on light and on dark paper."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from tulpen.lab.incident import Plotted

_INK: Final = "#7d8590"
_COLOURS: Final = ("#2f81f7", "#d29922", "#3fb950", "#db61a2", "#a371f7", "#f85149", "#39c5cf")
_SIZE: Final = (7.2, 3.4)  # inches


def svg(plot: Plotted) -> bytes:
    """Return a plot as an SVG picture that is the same whenever its figures are."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise TulpenError("a page's plots need matplotlib", "pip install 'tulpen[lab]'") from None
    with mpl.rc_context({"svg.hashsalt": "tulpen", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        for (name, points), colour in zip(plot.curves.items(), _cycle(len(plot.curves)), strict=True):
            xs, ys = zip(*points, strict=True) if points else ((), ())
            axes.plot(xs, ys, label=name, color=colour, drawstyle="steps-post" if plot.steps else "default")
        axes.set_xlabel(plot.x, color=_INK)
        axes.set_ylabel(plot.y, color=_INK)
        if plot.log:
            axes.set_yscale("log")
        axes.grid(color=_INK, alpha=0.25)
        axes.tick_params(colors=_INK, which="both")
        for spine in axes.spines.values():
            spine.set_color(_INK)
        if len(plot.curves) > 1:
            axes.legend(frameon=False, labelcolor=_INK)
        out = BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _cycle(count: int) -> list[str]:
    return [_COLOURS[at % len(_COLOURS)] for at in range(count)]
