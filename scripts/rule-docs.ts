// npm run schemas also writes the lists of rules, probes and measures in docs/validation.md, from the code and the manifests.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { loadCatalogue } from "../src/catalogue/load.ts";
import { probeInfos } from "../src/probes/explain.ts";
import { sourcesOf } from "../src/report/validation/words.ts";
import { RULES } from "../src/rules/judge.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = join(root, "docs", "validation.md");

/** docs/validation.md as it is on disk, and as it must be. */
export async function ruleDocs(): Promise<{ found: string; wanted: string }> {
  const found = readFileSync(file, "utf8");
  const rules = RULES.map((rule) =>
    [
      `### ${rule.id}`,
      "",
      `**${rule.title}** (${rule.severity}). ${rule.why}`,
      "",
      `Fix: ${rule.fix}.`,
      ...sourcesOf(rule).map((source) => `\n${source}.`),
      "",
    ].join("\n"),
  );
  const { services } = await loadCatalogue(join(root, "templates"));
  const probes = [
    "| probe | what a pass means | writes |",
    "|---|---|---|",
    ...probeInfos({ services }).map(
      ({ id, isOfEach, meaning, writes }) =>
        `| ${isOfEach ? "SERVICE " : ""}${id} | ${meaning} | ${writes ? "yes" : ""} |`,
    ),
    "",
  ];
  const measures = [
    "| measure | what is timed |",
    "|---|---|",
    ...[...services.values()].flatMap(({ id, measures: all }) =>
      all.map(({ id: name, title }) => `| ${id}.${name} | ${title} |`),
    ),
    "",
  ];
  const parts = { rules, probes, measures };
  const wanted = Object.entries(parts).reduce((text, [name, lines]) => between(text, name, lines.join("\n")), found);
  return { found, wanted };
}

/** A text with another part between `<!-- NAME: ... -->` and `<!-- end of the NAME -->`. */
function between(text: string, name: string, part: string): string {
  const begin = `<!-- ${name}: written by npm run schemas -->`;
  const end = `<!-- end of the ${name} -->`;
  const [before = "", rest = ""] = text.split(begin);
  return `${before}${begin}\n\n${part}\n${end}${rest.split(end)[1] ?? ""}`;
}

const [, script] = process.argv;
if (script === fileURLToPath(import.meta.url)) writeFileSync(file, (await ruleDocs()).wanted);
