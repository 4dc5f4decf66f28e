import type { FrameworkVerdict } from "../../flow/validate.ts";
import { markup, type Markup } from "./markup.ts";

/** What a framework comes to, in one word. */
export type Word = "fail" | "unknown" | "warning" | "pass";

const SIGNS: Readonly<Record<string, string>> = {
  pass: "✓",
  fail: "✗",
  error: "✗",
  unknown: "?",
  warning: "!",
  info: "i",
  waived: "–",
};

/** A word with its sign, in its colour. @param word one of `SIGNS`, which also is its class; "" for none */
export function badge(word: string, text = word): Markup {
  const sign = SIGNS[word];
  return markup`<span class="badge ${word}">${sign === undefined ? markup`` : markup`<span aria-hidden="true">${sign} </span>`}${text}</span>`;
}

/** The worst of what was found: of findings, only errors are a failure, and what is good to know is nothing bad. */
export function verdictOf({ findings, probes, measured }: FrameworkVerdict): Word {
  const broken = findings.filter(({ outcome }) => outcome === "fail");
  if (broken.some(({ severity }) => severity === "error") || probes.some(({ outcome }) => outcome === "fail"))
    return "fail";
  if ([...findings, ...probes].some(({ outcome }) => outcome === "unknown")) return "unknown";
  if ((measured?.problems.length ?? 0) > 0) return "unknown";
  return broken.some(({ severity }) => severity === "warning") ? "warning" : "pass";
}

/** How many findings and probes of a framework came out so. */
export function countOf(
  { findings, probes, measured }: FrameworkVerdict,
  wanted: "fail" | "unknown" | "waived",
): number {
  const unmeasured = wanted === "unknown" ? (measured?.problems.length ?? 0) : 0;
  return unmeasured + [...findings, ...probes].filter(({ outcome }) => outcome === wanted).length;
}

/** An id for a heading, whatever a directory is called. */
export function anchorOf(name: string): string {
  return `framework-${encodeURIComponent(name)}`;
}

/** More names than these are not listed in one place. */
export const MOST_NAMES = 20;

/**
 * A table that can be scrolled sideways, by keyboard as well.
 * @param label what it shows
 * @param heads of its columns; numbers have a `numberHead`
 */
export function table(label: string, heads: readonly (string | Markup)[], rows: readonly Markup[]): Markup {
  const head = heads.map((each) => (typeof each === "string" ? markup`<th scope="col">${each}</th>` : each));
  return markup`<div class="table" role="region" tabindex="0" aria-label="${label}"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.map((row) => markup`<tr>${row}</tr>\n`)}</tbody>
</table></div>
`;
}

/** The head of a column of numbers. */
export function numberHead(text: string): Markup {
  return markup`<th scope="col" class="number">${text}</th>`;
}
