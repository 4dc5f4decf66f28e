import { usageError } from "../errors.ts";
import type { Framework } from "../probe/framework.ts";
import type { Root } from "../probe/root.ts";

/** The framework of that name. @throws UserError exit 2 when there is none */
export function findFramework(root: Root, name: string, shown: string): Framework {
  const found =
    root.frameworks.find((framework) => framework.folder === name) ??
    root.frameworks.find((framework) => framework.name === name);
  if (found !== undefined) return found;
  const broken = root.broken.find(({ folder }) => folder === name);
  if (broken !== undefined) throw broken.error;
  const known = root.frameworks.map((framework) => framework.folder);
  throw usageError(
    `${shown}/${name} is not a framework`,
    known.length === 0 ? "there is none yet: npm run new-framework" : `there are: ${known.join(", ")}`,
    [],
    "unknown-framework",
  );
}

/** The frameworks that were named, or all. @throws UserError exit 2 for a name that is not there */
export function chosenFrameworks(root: Root, names: readonly string[], shown: string): readonly Framework[] {
  if (names.length === 0) return root.frameworks;
  return [...new Set(names)].map((name) => findFramework(root, name, shown));
}
