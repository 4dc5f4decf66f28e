import type { Disk } from "./disk.ts";
import { isSameText } from "./disk.ts";
import type { Action, Plan } from "./plan.ts";
import { incomingPath, SCAFFOLD_DIR } from "./state.ts";
import { storedIn } from "./stored.ts";

/**
 * The plan that takes away what was generated for a framework; files of the user stay, and `.env` unless its
 * secrets are to go.
 * @param disk the directory as `readDirectory` gives it
 * @returns the plan, and the paths of what somebody edited
 */
export function planRemoval(framework: string, disk: Disk, purgeSecrets: boolean): { plan: Plan; edited: string[] } {
  const { base } = storedIn(disk);
  const removes = new Set<string>();
  const actions: Action[] = [];
  const edited: string[] = [];
  for (const [path, file] of [...disk].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const stored = path.startsWith(`${SCAFFOLD_DIR}/`);
    const generated = base.has(path) || path === "framework.yaml" || path.endsWith(incomingPath(""));
    const secret = path === ".env";
    // What keeps `.env` out of git stays with it.
    const guard = path === ".gitignore" && disk.has(".env") && !purgeSecrets;
    const goes = stored || (generated && !guard) || (secret && purgeSecrets);
    if (goes) removes.add(path);
    if (base.has(path) && !isSameText(base.get(path), file.text)) edited.push(path);
    if (stored) continue;
    actions.push({
      path,
      action: goes ? "delete" : "keep",
      reason: goes
        ? edited.at(-1) === path
          ? "generated, and edited by you"
          : "generated"
        : guard
          ? "it keeps .env out of git"
          : secret
            ? "its secrets open the volumes"
            : "yours: it was not generated",
      before: file.sha256,
      after: goes ? null : file.sha256,
    });
  }
  const preconditions = new Map([...removes].map((path) => [path, disk.get(path)?.sha256 ?? null]));
  return { plan: { framework, actions, writes: new Map(), removes, preconditions }, edited };
}
