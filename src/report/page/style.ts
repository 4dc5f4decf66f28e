import { markup } from "./markup.ts";

/**
 * The look of the page: light and dark as the reader's system is, down to 320 pixels, and on paper. Every pair of text
 * and background has a contrast of at least 4.5 (WCAG 2.2, 1.4.3); no meaning is in a colour alone.
 */
export const STYLE = markup`
:root { color-scheme: light dark; --page: #f6f7f8; --card: #ffffff; --ink: #1b1f24; --soft: #565f69; --line: #ced5dc;
  --pass: #17703a; --fail: #b3261e; --unknown: #8a5200; --info: #0b5cad; --passing: #e3f4e8; --failing: #fde8e6;
  --doubt: #fdf0d9; --plain: #eceff2; }
@media (prefers-color-scheme: dark) { :root { --page: #13161a; --card: #1b2026; --ink: #e6e9ed; --soft: #a6b0bb;
  --line: #3a424c; --pass: #58c97c; --fail: #ff8a80; --unknown: #e5b454; --info: #83bdff; --passing: #16301f;
  --failing: #3a1b19; --doubt: #33270f; --plain: #272d35; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 0 0 .75rem; display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .25rem 0 .75rem; }
.soft { color: var(--soft); } th .soft { font-weight: 400; }
a { color: var(--info); }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--info); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0; margin: .75rem 0; }
.badge { display: inline-block; padding: .05rem .5rem; border-radius: 1rem; font-size: .875rem; font-weight: 600;
  white-space: nowrap; background: var(--plain); color: var(--ink); }
.pass { background: var(--passing); color: var(--pass); }
.fail, .error { background: var(--failing); color: var(--fail); }
.unknown, .warning { background: var(--doubt); color: var(--unknown); }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .375rem 1rem .375rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
thead th { color: var(--soft); white-space: nowrap; }
.number { text-align: right; padding-right: 1.5rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: .875em ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
td { overflow-wrap: break-word; min-width: 6.5rem; } td.number { min-width: 0; }
.findings { list-style: none; margin: 0; padding: 0; }
.findings li { padding: .5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.findings li:last-child { border-bottom: 0; }
details { margin: .5rem 0; }
summary { cursor: pointer; padding: .25rem 0; font-weight: 600; }
meter { width: 5rem; height: .75rem; vertical-align: middle; }
.stack { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.stack svg { flex: 0 1 auto; max-width: 100%; height: auto; }
.networks { flex: 1 1 14rem; margin: 0; padding-left: 1.5rem; font-size: .9375rem; }
svg { font: 14px system-ui, sans-serif; fill: var(--ink); }
svg .box { fill: var(--plain); stroke: var(--line); }
svg .small { font-size: 12px; fill: var(--soft); }
svg .rail { stroke: var(--soft); stroke-width: 2; }
svg .open { stroke: var(--info); stroke-width: 4; }
svg .wire { stroke: var(--line); stroke-width: 2; }
svg .dot { fill: var(--ink); stroke: var(--card); stroke-width: 1.5; }
svg .strip-pass { fill: var(--pass); } svg .strip-fail { fill: var(--fail); }
svg .strip-unknown { fill: var(--unknown); } svg .strip-none { fill: var(--line); }
footer { color: var(--soft); padding-bottom: 2rem; font-size: .875rem; }
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --pass: #17703a; --fail: #b3261e;
    --unknown: #8a5200; --info: #0b5cad; --passing: #fff; --failing: #fff; --doubt: #fff; --plain: #fff; }
  body { font-size: 10pt; } section { border: 0; padding: 0; } tr, li, svg { break-inside: avoid; }
  .table { overflow: visible; } .badge { border: 1px solid currentColor; }
  details::details-content { content-visibility: visible; block-size: auto; } .back, .skip { display: none; }
}
`;
