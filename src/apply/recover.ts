import { SPEC_FILE } from "../root/framework.ts";
import { carryOut, type LeftAlone } from "./carry-out.ts";
import { withPlainModes } from "./commit.ts";
import { Journal } from "./journal.ts";

/** What became of a change that a killed command had begun. */
export interface Recovered {
  /** `finished`: it had been decided; `undone`: it had only been prepared. */
  outcome: "finished" | "undone";
  /** Frameworks that it was about. */
  frameworks: readonly string[];
  /** Of these, those that the change made. */
  created: readonly string[];
  /** Of these, those that the change removed. */
  removed: readonly string[];
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
    return wasStaged ? { outcome: "undone", frameworks: [], created: [], removed: [], edited: [] } : undefined;
  }
  const edited = withPlainModes(() => carryOut(root, journal, steps, requireHeld));
  journal.remove();
  const frameworks = steps.flatMap(({ path, kind }) => (kind === "derived" ? [] : (path.split("/", 1)[0] ?? [])));
  return {
    outcome: "finished",
    frameworks: [...new Set(frameworks)],
    created: steps.flatMap(({ kind, path }) => (kind === "directory" && !path.includes("/") ? [path] : [])),
    removed: steps.flatMap(({ kind, path }) => {
      const [folder = "", file, ...more] = path.split("/");
      return kind === "remove" && file === SPEC_FILE && more.length === 0 ? [folder] : [];
    }),
    edited,
  };
}
