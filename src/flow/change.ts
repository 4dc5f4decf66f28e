import type { Disk } from "../plan/disk.ts";
import type { Action, Plan } from "../plan/plan.ts";
import type { Framework } from "../root/framework.ts";
import type { Spec } from "../spec/schema.ts";

/** What becomes of one framework, planned and not written yet. */
export interface Change {
  folder: string;
  /** As it is on disk; undefined when the directory does not exist yet. */
  framework: Framework | undefined;
  /** What it is brought to; undefined when it is removed. */
  spec: Spec | undefined;
  plan: Plan;
  disk: Disk;
  /** Secret values, to keep them out of what is printed. */
  secrets: readonly string[];
  /** Variables of `.env` whose values may be shown: managed ones that nobody changed. */
  visible: ReadonlySet<string>;
  notes: readonly string[];
}

/** Paths in conflict. */
export function conflictsOf(actions: readonly Action[]): string[] {
  return actions.filter(({ action }) => action === "conflict").map(({ path }) => path);
}
