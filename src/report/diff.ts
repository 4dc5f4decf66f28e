import { createTwoFilesPatch } from "diff";

import type { Disk } from "../plan/disk.ts";
import type { Plan } from "../plan/plan.ts";
import { SCAFFOLD_DIR } from "../plan/state.ts";
import { redact, redactEnv } from "./redact.ts";
import { styled, type Output, type Styled } from "./output.ts";

export interface Hidden {
  /** Every secret value that is known: none of them is shown, in whatever file. */
  secrets: readonly string[];
  /** The variables of `.env` whose values may be shown; a person's own may be keys. */
  visible: ReadonlySet<string>;
}

/**
 * Unified diff of a plan against what is on disk; the base is left out, it is our bookkeeping. What is put beside
 * a file in conflict is shown against that file.
 * @param hidden what must not be shown
 */
export function planDiff(plan: Plan, disk: Disk, hidden: Hidden): string {
  const shown = (path: string): boolean => !path.startsWith(`${SCAFFOLD_DIR}/`);
  const patch = (path: string, before: string | undefined, after: string | undefined): string => {
    const name = `${plan.framework}/${path}`;
    return createTwoFilesPatch(
      before === undefined ? "/dev/null" : `a/${name.replace(/\.incoming$/, "")}`,
      after === undefined ? "/dev/null" : `b/${name}`,
      shownText(path, before ?? "", hidden),
      shownText(path, after ?? "", hidden),
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

/**
 * Prints the diff: added and removed lines in colour where the output is a terminal. It is for reading: secrets and
 * control characters are replaced, and the carriage returns that end a line are left out.
 */
export function showDiff(plan: Plan, disk: Disk, hidden: Hidden, out: Output): void {
  const text = planDiff(plan, disk, hidden).trimEnd();
  if (text === "") return;
  for (const line of text.split(/\r?\n/)) {
    const [, style] = STYLES.find(([start]) => start.test(line)) ?? [];
    out.line(style === undefined ? line : styled(line, style));
  }
}

// By how a line starts; the first that fits.
const STYLES: readonly [RegExp, Styled["style"]][] = [
  [/^(?:---|\+\+\+) /, "bold"],
  [/^@@/, "cyan"],
  [/^\+/, "green"],
  [/^-/, "red"],
];

function shownText(path: string, text: string, { secrets, visible }: Hidden): string {
  return redact(path === ".env" ? redactEnv(text, visible) : text, secrets);
}
