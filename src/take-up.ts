import { join } from "node:path";

import { sha256 } from "./digest.ts";
import { EXIT, UserError } from "./errors.ts";
import type { Place } from "./pipeline.ts";
import { updateEnv } from "./plan/env.ts";
import { planNew, type Plan } from "./plan/plan.ts";
import { readFiles } from "./probe/disk.ts";
import type { Section } from "./render/env.ts";
import type { Tree } from "./render/tree.ts";
import { dotenvValues } from "./spec/dotenv.ts";

/**
 * The plan for a directory that `remove-framework` left: around the files of the user, with the secrets that are there.
 * @param text of the `.env` that was left
 * @throws UserError exit 2 when a file stands where one would be generated
 */
export function takeUp(
  { root, shown }: Place,
  name: string,
  tree: Tree,
  text: string,
  sections: readonly Section[],
  secrets: ReadonlyMap<string, string>,
): Plan {
  const dir = join(root, name);
  const plan = planNew(name, tree);
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
  // What was managed before follows the new spec; everything else in it stays.
  const before = dotenvValues(text);
  const rendered = new Map([...before].map(([key, value]) => [key, new Set([value])]));
  const content = updateEnv({ text, rendered, after: sections, before: undefined, secrets, mayGo: () => false });
  const digest = sha256(text);
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
