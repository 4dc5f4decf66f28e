import { sha256 } from "../digest.ts";
import type { RenderedFile, Tree } from "../render/tree.ts";
import { mergeText } from "./merge-text.ts";
import { basePath, formatState, STATE_FILE, type State, type StateFile } from "./state.ts";

type ActionName = "create" | "update" | "merge" | "keep" | "delete" | "conflict";

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
  /** sha256 that each written path must still have on disk; null: it must not exist. */
  preconditions: ReadonlyMap<string, string | null>;
}

/** Files that are inputs or host state: they have no base. */
export const WITHOUT_BASE = new Set([".env", "framework.yaml"]);

/** The plan for a directory that does not exist yet. */
export function planNew(framework: string, next: Tree): Plan {
  const actions = [...next].map(([path, file]): Action => ({
    path,
    action: "create",
    reason: "new framework",
    before: null,
    after: sha256(file.content),
  }));
  const writes = new Map(next);
  const files: StateFile[] = [];
  for (const [path, file] of next) {
    if (WITHOUT_BASE.has(path)) continue;
    files.push({ path, sha256: sha256(file.content), mode: file.mode });
    writes.set(basePath(path), { content: file.content, mode: 0o644 });
  }
  writes.set(STATE_FILE, { content: formatState({ schemaVersion: 1, files }), mode: 0o644 });
  return { framework, actions, writes, preconditions: new Map([...writes.keys()].map((path) => [path, null])) };
}

export interface ChangeInput {
  framework: string;
  /** render(spec before) and render(spec after), both with today's templates. */
  before: Tree;
  after: Tree;
  /** Text on disk by path; absent: no such file. */
  disk: ReadonlyMap<string, string>;
  /** Text of the stored base by path. */
  base: ReadonlyMap<string, string>;
  state: State | undefined;
  /** Files whose new text was made by an edit of their own (`framework.yaml`, `.env`). */
  edited: ReadonlyMap<string, RenderedFile>;
}

/**
 * The plan for a change of the spec alone: what differs between the two renditions is merged
 * into the user's file and into the stored base, so that updates of the templates that
 * are still pending stay pending.
 */
export function planChange(input: ChangeInput): Plan {
  const actions: Action[] = [];
  const writes = new Map<string, RenderedFile>();
  const preconditions = new Map<string, string | null>();
  const state = new Map((input.state?.files ?? []).map((file) => [file.path, file]));
  const write = (path: string, file: RenderedFile, onDisk: string | undefined): void => {
    writes.set(path, file);
    preconditions.set(path, onDisk === undefined ? null : sha256(onDisk));
  };

  for (const [path, file] of input.edited) {
    const disk = input.disk.get(path);
    if (disk === file.content) continue;
    write(path, file, disk);
    actions.push({
      path,
      action: disk === undefined ? "create" : "update",
      reason: "the spec changed",
      before: hash(disk),
      after: sha256(file.content),
    });
  }
  for (const [path, next] of input.after) {
    if (WITHOUT_BASE.has(path)) continue;
    const old = input.before.get(path)?.content;
    if (old === next.content) continue;
    const disk = input.disk.get(path);
    const outcome = merged(disk, old, next.content);
    if (outcome === "deleted") {
      actions.push({ path, action: "keep", reason: "you deleted it", before: null, after: null });
      continue;
    }
    if (outcome === undefined) {
      write(`${path}.incoming`, next, input.disk.get(`${path}.incoming`));
      actions.push({
        path,
        action: "conflict",
        reason: `your edit and the new text meet; the new one is in ${path}.incoming`,
        before: hash(disk),
        after: hash(disk),
      });
      continue;
    }
    if (outcome !== disk) {
      write(path, { content: outcome, mode: next.mode }, disk);
      const action = disk === undefined ? "create" : disk === old ? "update" : "merge";
      actions.push({ path, action, reason: "the spec changed", before: hash(disk), after: sha256(outcome) });
    }
    const base = input.base.get(path);
    const nextBase = merged(base, old, next.content);
    if (nextBase !== undefined && nextBase !== "deleted" && nextBase !== base) {
      write(basePath(path), { content: nextBase, mode: 0o644 }, base);
      state.set(path, { path, sha256: sha256(nextBase), mode: next.mode });
    }
  }
  if (writes.size > 0) {
    const text = formatState({
      schemaVersion: 1,
      files: [...state.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    });
    const current = input.disk.get(STATE_FILE);
    if (text !== current) write(STATE_FILE, { content: text, mode: 0o644 }, current);
  }
  return { framework: input.framework, actions, writes, preconditions };
}

/** `disk` with the change from `old` to `next`; undefined: they conflict. */
function merged(disk: string | undefined, old: string | undefined, next: string): string | undefined {
  if (disk === undefined) return old === undefined ? next : "deleted";
  if (disk === old || disk === next) return next;
  return old === undefined ? undefined : mergeText(disk, old, next);
}

function hash(text: string | undefined): string | null {
  return text === undefined ? null : sha256(text);
}
