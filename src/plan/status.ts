import type { Tree } from "../render/tree.ts";
import { plain, type Disk } from "./disk.ts";
import { WITHOUT_BASE } from "./plan.ts";
import { incomingPath } from "./state.ts";
import { storedIn } from "./stored.ts";

/**
 * - `clean`: as it was generated, and still what would be generated
 * - `outdated`: as it was generated, but the spec or the templates give something else now
 * - `edited`: changed by somebody
 * - `missing`: deleted, or new in the templates
 * - `conflicted`: an `.incoming` beside it waits for a decision
 */
export type FileState = "clean" | "edited" | "missing" | "conflicted" | "outdated";

interface FileStatus {
  path: string;
  state: FileState;
}

export interface DirectoryStatus {
  files: FileStatus[];
  /** Paths with an open conflict. */
  conflicts: string[];
  /** Whether the spec or the templates give something else than what was last generated. */
  outdated: boolean;
}

/**
 * Compares a directory with what was generated and with what would be generated. Pure.
 * @param next what the spec and today's templates give; `.env` and `framework.yaml` are passed over
 */
export function statusOf(disk: Disk, next: Tree): DirectoryStatus {
  const { base, offered } = storedIn(disk);
  const paths = [...new Set([...base.keys(), ...offered.keys(), ...next.keys()])]
    .filter((path) => !WITHOUT_BASE.has(path))
    .toSorted();
  const files = paths.map((path): FileStatus => {
    const found = plain(disk.get(path)?.text);
    const before = plain(base.get(path));
    const after = plain(next.get(path)?.content);
    if (disk.has(incomingPath(path))) return { path, state: "conflicted" };
    if (found === undefined) return { path, state: "missing" };
    if (found === after) return { path, state: "clean" };
    return { path, state: found === before ? "outdated" : "edited" };
  });
  return {
    // A file that is gone from the templates and from the disk is nobody's business any more.
    files: files.filter(({ path, state }) => state !== "missing" || next.has(path)),
    conflicts: files.filter(({ state }) => state === "conflicted").map(({ path }) => path),
    outdated: paths.some((path) => plain(base.get(path)) !== plain(next.get(path)?.content)),
  };
}
