"""The look of the index: light and dark, wide and narrow, without anything from elsewhere."""

STYLE = """
:root { --ink: #1c2126; --soft: #5b6670; --page: #ffffff; --line: #dde2e6; --box: #f4f6f8; --link: #0b5cad;
  --reproduced: #2a8f5b; --above: #2f6fd0; --below: #d0642f; --inconclusive: #c9a227; --deviates: #8a63c4;
  --missing: #aab3bb; --never: #dfe4e8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ec; --soft: #9aa5af; --page: #14181c; --line: #2d353d; --box: #1d2329; --link: #77b4f5;
    --reproduced: #3fae75; --above: #5b93ea; --below: #e5804f; --inconclusive: #d8b545; --deviates: #a683db;
    --missing: #67727c; --never: #333c44; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.2rem; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
a { color: var(--link); }
small { display: block; color: var(--soft); font-size: .8rem; line-height: 1.3; }
ul { margin: .8rem 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: .6rem; }
.tiles li { flex: 1 1 12rem; padding: .7rem .9rem; background: var(--box); border-radius: .5rem; }
.tiles b { display: block; font-size: 1.7rem; line-height: 1.2; }
.legend { gap: .2rem 1.1rem; color: var(--soft); font-size: .85rem; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .45rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--soft); font-weight: 500; font-size: .85rem; }
tbody th { font-weight: 600; min-width: 11rem; }
tbody th small { font-weight: 400; }
td.n, thead th:nth-child(n+2):nth-child(-n+5) { text-align: right; font-variant-numeric: tabular-nums; }
td.wide { min-width: 14rem; width: 30%; }
td.claims { color: var(--soft); font-size: .85rem; }
.all { background: var(--box); }
td.links { white-space: nowrap; }
.scale { padding: 0 .4em; border: 1px solid var(--line); border-radius: 1em; font-size: .75rem; font-weight: 400; }
.bar { display: flex; gap: 1px; height: .7rem; margin: .3rem 0 .15rem; overflow: hidden; border-radius: 3px; }
.bar i { min-width: 2px; }
.audit { padding: .7rem .9rem; border-left: 3px solid var(--below); background: var(--box); }
.reproduced { background: var(--reproduced); } .above { background: var(--above); }
.below { background: var(--below); } .inconclusive { background: var(--inconclusive); }
.deviates { background: var(--deviates); } .missing { background: var(--missing); } .never { background: var(--never); }
footer { margin: 2.5rem 0 1rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 46rem) {
  table, tbody, tr { display: block; }
  thead { display: none; }
  tr { display: grid; grid-template-columns: repeat(4, 1fr); padding: .6rem 0; border-bottom: 1px solid var(--line); }
  th, td { border: 0; padding: .15rem .2rem; }
  tbody th, td.wide, td.claims, td.links { grid-column: 1 / -1; }
  td.wide { width: auto; }
  td.n { text-align: left; }
  td.n::before { content: attr(data-head); display: block; color: var(--soft); font-size: .72rem; }
  td.claims::before { content: "Claims: "; }
  td:empty { display: none; }
}
"""
"""Style sheet of the page."""
