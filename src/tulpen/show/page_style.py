"""The style sheet and the script of a report's page."""

from __future__ import annotations

from typing import Final

from tulpen.show.style import LADDER_CSS, PATH_CSS, themed
from tulpen.show.timeline import TIMELINE_CSS

PAGE_CSS: Final = (
    themed(":root")
    + """
*{box-sizing:border-box}
body{margin:0 auto;max-width:80rem;padding:1.5rem clamp(.8rem,3vw,2rem) 4rem;
background:var(--t-paper);color:var(--t-ink);
font:16px/1.55 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;overflow-wrap:break-word}
h1{font-size:clamp(1.5rem,4vw,2rem);line-height:1.2;margin:.5rem 0 .8rem}
h2{font-size:1.25rem;line-height:1.3;margin:0 0 .6rem}
p{margin:.5rem 0;max-width:46rem}
.lead{font-size:1.06rem}
a{color:var(--t-link)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible,button:focus-visible{
outline:3px solid var(--t-link);outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--t-paper);padding:.3rem .6rem}
code,pre{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.875em}
code{background:var(--t-panel);padding:.1em .3em;border-radius:.25em}
section{border-top:1px solid var(--t-line);padding-top:1.2rem;margin-top:1.6rem;scroll-margin-top:.5rem}
nav ol{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:.6rem .9rem;margin:1rem 0;
background:var(--t-panel);border-radius:.5rem;font-size:.94rem}
.badge{font-size:.78rem;font-weight:600;padding:.05rem .5rem;border:1px solid currentColor;border-radius:1rem;
vertical-align:.08em;white-space:nowrap;color:var(--t-dim)}
.good{color:var(--t-good)}.odd{color:var(--t-odd)}.bad{color:var(--t-bad)}.dim{color:var(--t-dim)}
td.bad{font-weight:600}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch;max-width:100%}
table{border-collapse:collapse;font-size:.9rem;min-width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.3rem 0;color:var(--t-dim)}
th,td{text-align:left;vertical-align:top;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--t-line)}
th{font-weight:600;white-space:nowrap;color:var(--t-dim)}
th.number,td.number{text-align:right;white-space:nowrap}
td.path{font-size:.82rem;min-width:15rem}
td:first-child,td:last-child{min-width:9rem}
dl{display:grid;gap:.15rem 1.2rem;margin:.7rem 0;font-size:.94rem}
dl div{display:grid;grid-template-columns:minmax(6.5rem,11rem) 1fr;gap:.8rem}
dt{color:var(--t-dim)}
dd{margin:0;min-width:0}
figure{margin:.8rem 0}
figcaption{font-size:.9rem;color:var(--t-dim);margin-bottom:.3rem}
pre{background:var(--t-panel);padding:.7rem .9rem;border-radius:.5rem;overflow-x:auto;margin:0;white-space:pre-wrap}
.picture img{max-width:100%;height:auto}
.drawing .scroll{border:1px solid var(--t-line);border-radius:.5rem;background:var(--t-paper)}
.drawing svg{display:block;margin:0 auto}
.drawing pre{white-space:pre;line-height:1.25}
details.text summary{font-weight:400;font-size:.88rem;color:var(--t-dim)}
details{margin:.6rem 0}
summary{cursor:pointer;font-weight:600;padding:.2rem 0}
footer{border-top:1px solid var(--t-line);margin-top:2.5rem;padding-top:.8rem;font-size:.88rem;color:var(--t-dim)}
button{font:inherit;font-size:.9rem;color:var(--t-ink);background:var(--t-panel);border:1px solid var(--t-line);
border-radius:.4rem;padding:.2rem .7rem;margin-bottom:.5rem;cursor:pointer}
@media(max-width:36rem){dl div{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}}
@media print{nav,.skip,button{display:none}.scroll{overflow:visible}section{break-inside:avoid-page}}
"""
    + PATH_CSS
    + LADDER_CSS
    + TIMELINE_CSS
)

# The page is read without it.
SCRIPT: Final = """
(function () {
  var all = document.querySelectorAll("main details:not(.text)");
  if (all.length < 2) { return; }
  var button = document.createElement("button");
  button.type = "button";
  function closed() { return Array.prototype.some.call(all, function (each) { return !each.open; }); }
  function name() { button.textContent = closed() ? "Unfold all" : "Fold all"; }
  button.addEventListener("click", function () {
    var open = closed();
    all.forEach(function (each) { each.open = open; });
    name();
  });
  all.forEach(function (each) { each.addEventListener("toggle", name); });
  name();
  document.getElementById("content").prepend(button);
})();
"""
