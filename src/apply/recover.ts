import { carryOut, type LeftAlone } from "./carry-out.ts";
import { withPlainModes } from "./commit.ts";
import { Journal } from "./journal.ts";

/** What became of a change that a killed command had begun. */
export interface Recovered {
  /** `finished`: it had been decided; `undone`: it had only been prepared. */
  outcome: "finished" | "undone";
  /** Frameworks that it was about. */
  frameworks: readonly string[];
  edited: readonly LeftAlone[];
}

/**
 * Finishes what a killed command had decided, or takes away what it had only prepared.
 * @param root locked by the caller
 * @returns what was done; undefined when nothing was unfinished
 * @throws UserError exit 1 for a journal that cannot be trusted
 */
export function recover(root: string, requireHeld: () => void): Recovered | undefined {
  const journal = new Journal(root, requireHeld);
  if (!journal.exists) return undefined;
  const steps = journal.read();
  if (steps === undefined) {
    const wasStaged = journal.clear();
    journal.remove();
    return wasStaged ? { outcome: "undone", frameworks: [], edited: [] } : undefined;
  }
  const edited = withPlainModes(() => carryOut(root, journal, steps, requireHeld));
  journal.remove();
  const frameworks = steps.flatMap(({ path, kind }) => (kind === "derived" ? [] : (path.split("/", 1)[0] ?? [])));
  return {
    outcome: "finished",
    frameworks: [...new Set(frameworks)],
    edited,
  };
}
