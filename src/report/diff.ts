import { createTwoFilesPatch } from "diff";

import type { Disk } from "../plan/disk.ts";
import type { Plan } from "../plan/plan.ts";
import { SCAFFOLD_DIR } from "../plan/state.ts";
import type { Output } from "./output.ts";

/**
 * Unified diff of a plan against what is on disk; the base is left out, it is our bookkeeping. What is put beside
 * a file in conflict is shown against that file.
 * @param secrets every secret value: none of them is shown
 */
export function planDiff(plan: Plan, disk: Disk, secrets: readonly string[]): string {
  const shown = (path: string): boolean => !path.startsWith(`${SCAFFOLD_DIR}/`);
  const patch = (path: string, before: string | undefined, after: string | undefined): string => {
    const name = `${plan.framework}/${path}`;
    return createTwoFilesPatch(
      before === undefined ? "/dev/null" : `a/${name.replace(/\.incoming$/, "")}`,
      after === undefined ? "/dev/null" : `b/${name}`,
      redact(before ?? "", secrets),
      redact(after ?? "", secrets),
      "",
      "",
      { context: 3 },
    ).replace(/^=+\n/, "");
  };
  const written = [...plan.writes]
    .filter(([path]) => shown(path))
    .map(([path, file]) => patch(path, disk.get(path.replace(/\.incoming$/, ""))?.text, file.content));
  const removed = [...plan.removes].filter(shown).map((path) => patch(path, disk.get(path)?.text, undefined));
  return [...written, ...removed].join("");
}

/** The diff as it is printed: added and removed lines in colour where the output is a terminal. */
export function colouredDiff(plan: Plan, disk: Disk, secrets: readonly string[], out: Output): string {
  return planDiff(plan, disk, secrets)
    .trimEnd()
    .split("\n")
    .map((line) => {
      if (/^(?:---|\+\+\+) /.test(line)) return out.style(line, "bold");
      if (line.startsWith("@@")) return out.style(line, "cyan");
      if (line.startsWith("+")) return out.style(line, "green");
      return line.startsWith("-") ? out.style(line, "red") : line;
    })
    .join("\n");
}

/** The text with every secret value replaced. */
export function redact(text: string, secrets: readonly string[]): string {
  let out = text;
  for (const secret of secrets) if (secret.length >= 8) out = out.replaceAll(secret, "[redacted]");
  return out;
}
