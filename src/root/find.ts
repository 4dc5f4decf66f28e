import { usageError } from "../lib/errors.ts";
import { quotedForShell } from "../lib/shell.ts";
import type { Framework } from "./framework.ts";
import type { Root } from "./root.ts";

/** The framework of that name. @throws UserError exit 2 when there is none */
export function findFramework(root: Root, name: string): Framework {
  const found =
    root.frameworks.find((framework) => framework.folder === name) ??
    root.frameworks.find((framework) => framework.name === name);
  if (found !== undefined) return found;
  const broken = root.broken.find(({ folder }) => folder === name);
  if (broken !== undefined) throw broken.error;
  const known = root.frameworks.map((framework) => framework.folder);
  throw usageError(
    `${root.shown}/${name} is not a framework`,
    known.length === 0 ? "there is no framework yet: npm run new-framework" : `there are: ${known.join(", ")}`,
    [],
    "unknown-framework",
  );
}

/**
 * The framework of that name, or the only one there is.
 * @param what is to be done with it, as a command line for the hint: `add-service qdrant`
 * @throws UserError exit 2 when there is none, or several and no name
 */
export function theFramework(root: Root, name: string | undefined, what: string): Framework {
  if (name !== undefined) return findFramework(root, name);
  const names = [...root.frameworks, ...root.broken].map(({ folder }) => folder);
  const [only, second] = names;
  if (only === undefined) throw noFramework(root);
  if (second === undefined) return findFramework(root, only);
  throw missingFramework(names, what);
}

/** What to say where there is none to choose from. */
export function noFramework({ shown }: Root): Error {
  return usageError(`there is no framework in ${shown}`, "make one: npm run new-framework", [], "unknown-framework");
}

/** What to say where a framework must be named. */
export function missingFramework(names: readonly string[], what: string, more = ""): Error {
  return usageError(
    `missing: ${more}the framework (one of ${names.join(", ")})`,
    `for example: npm run ${what} ${quotedForShell(names[0] ?? "crewai")}`,
    [],
    "missing-argument",
  );
}

/** The frameworks that were named, or all. @throws UserError exit 2 for a name that is not there */
export function chosenFrameworks(root: Root, names: readonly string[]): readonly Framework[] {
  if (names.length === 0) return root.frameworks;
  return [...new Set(names)].map((name) => findFramework(root, name));
}
