import type { FrameworkVerdict } from "../../flow/validate.ts";
import type { Report } from "../validation/report.ts";
import { ageText } from "./age.ts";
import { frameworkSection } from "./framework.ts";
import { markup, type Markup } from "./markup.ts";
import { portMap } from "./ports.ts";
import { STYLE } from "./style.ts";
import { anchorOf, badge, countOf, numberHead, table, verdictOf } from "./verdict.ts";

/**
 * A report as one page that asks nobody for anything: no script, no font, no picture from elsewhere, and a policy that
 * says so to the browser.
 */
export function pageOf({ result, rules, version, time, at }: Report): string {
  const { frameworks, summary } = result;
  const isLive = frameworks.some(({ probes }) => probes.length > 0);
  const what =
    frameworks.length === 1
      ? `Validation of ${frameworks[0]?.name ?? ""}`
      : `Validation of ${String(frameworks.length)} frameworks`;
  const when = at.replace("T", " ").slice(0, 16);
  const counts = (["pass", "fail", "unknown", "waived"] as const)
    .filter((word) => word === "pass" || word === "fail" || summary[word] > 0)
    .map(
      (word) =>
        markup`<li>${badge(summary[word] === 0 ? "" : word, `${String(summary[word])} ${COUNTED[word]}`)}</li>\n`,
    );
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${what}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#all">Skip to the results</a>
<header>
<h1>${what}</h1>
<p class="soft">${when} UTC, ${isLive ? "files and running stacks" : "files only"}</p>
<ul class="counts">
${counts}</ul>
</header>
<main>
<section aria-labelledby="all">
<h2 id="all">All frameworks</h2>
${overview(frameworks, isLive, time)}</section>
<section aria-labelledby="ports">
<h2 id="ports">Published ports</h2>
${portMap(frameworks)}</section>
${frameworks.map((each) => frameworkSection(each, rules, time))}</main>
<footer><p>Written by framework-infra ${version}. What is shown as pass, fail or unknown was so at the time above.</p></footer>
</body>
</html>
`.text;
}

const COUNTED = { pass: "passed", fail: "failed", unknown: "unknown", waived: "waived" } as const;

function overview(frameworks: readonly FrameworkVerdict[], isLive: boolean, time: number): Markup {
  if (frameworks.length === 0) return markup`<p>There is no framework yet.</p>\n`;
  const rows = frameworks.map((each) => {
    const { name, stack, probes } = each;
    const counts = (["fail", "unknown", "waived"] as const).map(
      (word) => markup`<td class="number">${countOf(each, word)}</td>`,
    );
    const states = probes.filter(({ id }) => id === "state").map(({ outcome }) => outcome);
    const healthy = `${String(states.filter((state) => state === "pass").length)} of ${String(states.length)}`;
    const backup = stack?.lastBackup === undefined ? "none" : ageText(time - stack.lastBackup.time);
    return markup`<th scope="row"><a href="#${anchorOf(name)}">${name}</a></th><td>${badge(verdictOf(each))}</td>${counts}${isLive ? markup`<td>${healthy}</td>` : markup``}<td>${backup}</td>`;
  });
  const heads = [
    "Framework",
    "Result",
    ...["Failed", "Unknown", "Waived"].map(numberHead),
    ...(isLive ? ["Healthy services"] : []),
    "Last backup",
  ];
  return table("Results by framework", heads, rows);
}
