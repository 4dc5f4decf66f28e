import { join } from "node:path";

import { sha256 } from "../../lib/digest.ts";
import { EXIT, UserError } from "../../lib/errors.ts";
import { planNew, type Plan } from "../../plan/plan.ts";
import { readFiles } from "../../store/directory.ts";
import type { Tree } from "../../render/tree.ts";
import type { Root } from "../../root/root.ts";

/**
 * The plan for a directory that `remove-framework` left: around the files of the user, with the secrets that are there.
 * @param env the `.env` that was left, and as it will be
 * @param state the text of the state file
 * @throws UserError exit 2 when there is a file where one would be generated
 */
export function takeUp(
  root: Root,
  name: string,
  tree: Tree,
  env: { before: string; after: string },
  state: string,
): Plan {
  const { shown } = root;
  const dir = join(root.dir, name);
  const plan = planNew(name, tree, state);
  const found = readFiles(
    dir,
    [...plan.writes.keys()].filter((path) => path !== ".env"),
    `${shown}/${name}`,
  );
  const same = new Set(
    [...found].filter(([path, file]) => plan.writes.get(path)?.content === file.text).map(([path]) => path),
  );
  const taken = [...found.keys()].filter((path) => !same.has(path));
  if (taken.length > 0) {
    throw new UserError(`${shown}/${name} holds files that would be generated: ${taken.join(", ")}`, {
      code: "exists",
      exit: EXIT.usage,
      hint: "move them away",
    });
  }
  const content = env.after;
  const digest = sha256(env.before);
  return {
    ...plan,
    actions: plan.actions.map((action) =>
      action.path === ".env"
        ? { ...action, action: "update", reason: "its secrets stay", before: digest, after: sha256(content) }
        : action,
    ),
    writes: new Map([...plan.writes, [".env", { content, mode: 0o600 }] as const].filter(([path]) => !same.has(path))),
    preconditions: new Map([...plan.preconditions, [".env", digest] as const].filter(([path]) => !same.has(path))),
  };
}
