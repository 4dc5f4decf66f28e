import { sha256 } from "../lib/digest.ts";
import type { RenderedFile, Tree } from "../render/tree.ts";
import type { Disk } from "./disk.ts";
import { basePath, STATE_FILE } from "./state.ts";

export type ActionName = "create" | "update" | "merge" | "keep" | "delete" | "conflict";

/** One line of a plan: what happens to one file, and why. `before`/`after`: sha256 of its bytes. */
export interface Action {
  path: string;
  action: ActionName;
  reason: string;
  before: string | null;
  after: string | null;
}

/** A plan that can be printed (`actions`) and applied (`writes`, `removes`). */
export interface Plan {
  framework: string;
  actions: readonly Action[];
  /** Every file to write, the base and its state included; a conflict's rendition under `<path>.incoming`. */
  writes: ReadonlyMap<string, RenderedFile>;
  /** Every file to delete. */
  removes: ReadonlySet<string>;
  /** sha256 that each written or deleted path must still have on disk; null: it must not exist. */
  preconditions: ReadonlyMap<string, string | null>;
}

/** Files that are inputs or host state: they have no base. */
export const WITHOUT_BASE = new Set([".env", "framework.yaml"]);

/** Mode of the base and of everything else that is only read. */
export const STORED_MODE = 0o644;

/** Reasons of files that are kept, and that somebody wants to see all the same. */
export const RESOLVED = "resolved: the conflict is closed, your version is kept";
export const CHOSEN = "kept your version: the update of it is declined";

/** Whether a plan changes nothing on disk. */
export function isEmpty({ writes, removes }: Plan): boolean {
  return writes.size === 0 && removes.size === 0;
}

/** The plan for a directory that does not exist yet. @param state the text of its state file */
export function planNew(framework: string, next: Tree, state: string): Plan {
  const actions = [...next].map(([path, file]): Action => ({
    path,
    action: "create",
    reason: "new framework",
    before: null,
    // Made only when somebody looks, as in every plan.
    get after() {
      return sha256(file.content);
    },
  }));
  const writes = new Map(next);
  for (const [path, file] of next) {
    if (!WITHOUT_BASE.has(path)) writes.set(basePath(path), { content: file.content, mode: STORED_MODE });
  }
  writes.set(STATE_FILE, { content: state, mode: STORED_MODE });
  return {
    framework,
    actions,
    writes,
    removes: new Set(),
    preconditions: new Map([...writes.keys()].map((path) => [path, null])),
  };
}

/** The plan with one more file whose text was made by an edit of its own. @param why it is updated, if it is */
export function withEdited(plan: Plan, disk: Disk, path: string, file: RenderedFile, why: string): Plan {
  const now = disk.get(path);
  const same = now?.text === file.content;
  const action: Action = {
    path,
    action: same ? "keep" : now === undefined ? "create" : "update",
    reason: same ? "unchanged" : now === undefined ? "it was missing" : why,
    get before() {
      return now?.sha256 ?? null;
    },
    get after() {
      return same ? now.sha256 : sha256(file.content);
    },
  };
  return {
    ...plan,
    actions: [...plan.actions, action].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    writes: same ? plan.writes : new Map([...plan.writes, [path, file]]),
    preconditions: same ? plan.preconditions : new Map([...plan.preconditions, [path, action.before]]),
  };
}
