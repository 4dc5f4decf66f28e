import type { Measured, MeasuredStack } from "../../probes/latency.ts";
import { comparisonText, figureText } from "../validation/words.ts";
import { markup, type Markup } from "./markup.ts";
import { badge, table } from "./verdict.ts";

/** How fast a stack is, against its baseline. */
export function latencyPart({ measures, problems }: MeasuredStack, name: string): Markup {
  const heads = ["Measure", "Median", "95th percentile", "Against the baseline"];
  const rows = measures.map((each) => {
    const { id, title, p50, p95 } = each;
    return markup`<th scope="row">${id}<br><span class="soft">${title}</span></th><td>${figureText(p50)}</td><td>${figureText(p95)}</td><td>${against(each)}</td>`;
  });
  return markup`<h3>How fast it is</h3>
${rows.length === 0 ? markup`` : table(`How fast ${name} is`, heads, rows)}${problems.map((problem) => markup`<p>${badge("unknown")} ${problem}</p>\n`)}`;
}

function against({ before }: Measured): Markup {
  if (before === undefined) return markup`<span class="soft">no baseline</span>`;
  const { comparison, p50, p95 } = before;
  const text = comparisonText(before);
  if (comparison === "same") return markup`${text}`;
  const word = comparison === "slower" ? "warning" : "pass";
  return markup`${badge(word, text)}<br>before: ${figureText(p50)}, ${figureText(p95)}`;
}
