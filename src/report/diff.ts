import { createTwoFilesPatch } from "diff";

import type { Plan } from "../plan/plan.ts";
import { SCAFFOLD_DIR } from "../plan/state.ts";

/**
 * Unified diff of a plan against what is on disk; the base is left out, it is our bookkeeping.
 * @param secrets every secret value: none of them is shown
 */
export function planDiff(plan: Plan, disk: ReadonlyMap<string, string>, secrets: readonly string[]): string {
  return [...plan.writes]
    .filter(([path]) => !path.startsWith(`${SCAFFOLD_DIR}/`))
    .map(([path, file]) => {
      const before = disk.get(path);
      const name = `${plan.framework}/${path}`;
      return createTwoFilesPatch(
        before === undefined ? "/dev/null" : `a/${name}`,
        `b/${name}`,
        redact(before ?? "", secrets),
        redact(file.content, secrets),
        "",
        "",
        { context: 3 },
      ).replace(/^=+\n/, "");
    })
    .join("");
}

/** The text with every secret value replaced. */
export function redact(text: string, secrets: readonly string[]): string {
  let out = text;
  for (const secret of secrets) if (secret.length >= 8) out = out.replaceAll(secret, "[redacted]");
  return out;
}
