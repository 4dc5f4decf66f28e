// npm run schemas also writes the list of rules in docs/validation.md, from the code.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { sourcesOf } from "../src/report/validation/words.ts";
import { RULES } from "../src/rules/judge.ts";

const file = join(fileURLToPath(new URL("..", import.meta.url)), "docs", "validation.md");
const BEGIN = "<!-- rules: written by npm run schemas -->";
const END = "<!-- end of the rules -->";

/** docs/validation.md as it is on disk, and as it must be. */
export function ruleDocs(): { found: string; wanted: string } {
  const found = readFileSync(file, "utf8");
  const [before = "", rest = ""] = found.split(BEGIN);
  const after = rest.split(END)[1] ?? "";
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
  return { found, wanted: `${before}${BEGIN}\n\n${rules.join("\n")}\n${END}${after}` };
}

const [, script] = process.argv;
if (script === fileURLToPath(import.meta.url)) writeFileSync(file, ruleDocs().wanted);
