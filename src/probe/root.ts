import { statSync } from "node:fs";
import { join } from "node:path";

import type { Catalogue } from "../catalogue/catalogue.ts";
import { isErrno, unreadable, usageError, UserError } from "../errors.ts";
import { checkState, STATE_FILE } from "../plan/state.ts";
import { ClaimTable, type Claim } from "../ports/claim.ts";
import { dotenvValues } from "../spec/dotenv.ts";
import { readPlainYaml } from "../spec/plain-yaml.ts";
import { specSchema, type Spec } from "../spec/schema.ts";
import { effectiveName, SPEC_FILE, type Framework } from "./framework.ts";
import { composeClaims, isSkipped, specClaims, type Search } from "./claims.ts";
import { entriesOf, textOf } from "./files.ts";

/** What the root holds: read once, under the lock where something is going to be written. */
export interface Root {
  dir: string;
  frameworks: readonly Framework[];
  claims: ClaimTable;
  allClaims: Claim[];
  warnings: readonly string[];
  /** Those of the warnings that say that two stacks share containers and volumes. */
  shared: readonly string[];
  /** Directories that cannot be read as a framework, where that is no reason to stop. */
  broken: readonly { folder: string; error: UserError }[];
  /** The root with its claims, which a command that gives no port can do without. */
  withClaims: () => Promise<Root>;
}

/**
 * Checks that `dir` can be a root: it is a directory, or does not exist yet.
 * @throws UserError exit 2
 */
export function checkRoot(dir: string, shown: string): void {
  try {
    if (!statSync(dir).isDirectory())
      throw usageError(`${shown} is a file, not a directory`, "give --root a directory", [], "root-is-file");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    if (isErrno(error, "ENOTDIR"))
      throw usageError(`${shown} lies below a file`, "give --root a directory", [], "root-is-file");
    if (isErrno(error, "EACCES", "EPERM")) throw unreadable(shown);
    if (isErrno(error, "ENAMETOOLONG", "ELOOP")) {
      throw usageError(
        "the path given to --root cannot be used: it is too long, or its links run in a circle",
        "give --root a directory",
      );
    }
    throw error;
  }
}

/**
 * Reads every framework and every other compose file below the root.
 * Cost is linear in the number of files; nothing is written.
 * @param shown how the root was named by the user, for messages
 * @param options `tolerant`: what is broken is listed, and the rest is read all the same; `claims: false`: the
 *   claims are left out, which saves reading every compose file
 * @throws UserError exit 2 when a framework.yaml is broken or may not be read: its ports could not be known
 */
export async function readRoot(
  dir: string,
  shown: string,
  catalogue: Catalogue,
  { tolerant = false, claims: wantsClaims = true } = {},
): Promise<Root> {
  checkRoot(dir, shown);
  const search: Search = { root: dir, shown, catalogue, warnings: [] };
  const entries = entriesOf(dir);
  if (entries === undefined) throw unreadable(shown);
  const frameworks: Framework[] = [];
  const broken: { folder: string; error: UserError }[] = [];
  const claims = wantsClaims ? await composeClaims(search, "", undefined) : [];
  for (const entry of entries) {
    if (
      entry.isSymbolicLink() &&
      textOf(join(dir, entry.name, SPEC_FILE), `${shown}/${entry.name}/${SPEC_FILE}`) !== undefined
    )
      search.warnings.push(
        `${shown}/${entry.name} is a link to a framework; it is left alone, and its ports are not known`,
      );
    if (!entry.isDirectory() || isSkipped(entry.name)) continue;
    let framework: Framework | undefined;
    try {
      framework = await readFramework(search, entry.name);
    } catch (error) {
      if (!tolerant || !(error instanceof UserError)) throw error;
      broken.push({ folder: entry.name, error });
    }
    if (framework !== undefined) frameworks.push(framework);
    if (!wantsClaims) continue;
    if (framework !== undefined) claims.push(...specClaims(framework, search));
    claims.push(...(await composeClaims(search, entry.name, framework)));
  }
  const shared = sameNames(frameworks);
  const warnings = [...search.warnings, ...shared];
  let full: Promise<Root> | undefined;
  const root: Root = {
    dir,
    frameworks,
    claims: new ClaimTable(claims),
    allClaims: claims,
    warnings,
    shared,
    broken,
    withClaims: () => (full ??= wantsClaims ? Promise.resolve(root) : readRoot(dir, shown, catalogue, { tolerant })),
  };
  return root;
}

/** Ports that a command has just given to a framework count for those that it gives after that. */
export function addClaims(root: Root, framework: Framework, spec: Spec, shown: string, catalogue: Catalogue): void {
  const search: Search = { root: root.dir, shown, catalogue, warnings: [] };
  const own = (claim: Claim): boolean => claim.framework === framework.folder && claim.source !== "foreign";
  root.claims.drop(own);
  root.allClaims.splice(0, root.allClaims.length, ...root.allClaims.filter((claim) => !own(claim)));
  // What `.env` says was made from the old spec: a managed port follows the new one.
  for (const claim of specClaims({ ...framework, spec, env: new Map() }, search)) {
    root.claims.add(claim);
    root.allClaims.push(claim);
  }
}

async function readFramework({ root, shown, warnings }: Search, folder: string): Promise<Framework | undefined> {
  const dir = join(root, folder);
  const text = (file: string): string | undefined => textOf(join(dir, file), `${shown}/${folder}/${file}`);
  const specText = text(SPEC_FILE);
  if (specText === undefined) return undefined;
  const spec = plainSpec(specText) ?? (await anySpec(specText, `${shown}/${folder}/${SPEC_FILE}`));
  let env: string | undefined;
  try {
    env = text(".env");
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // It is private, and it may be another user's: the spec's ports are still known.
    warnings.push(`${error.message}; a port that it overrides is not known`);
  }
  const state = text(STATE_FILE);
  if (state !== undefined) checkState(state, `${shown}/${folder}/${STATE_FILE}`);
  return {
    name: spec.name,
    folder,
    dir,
    spec,
    specText,
    envText: env,
    env: env === undefined ? new Map() : dotenvValues(env),
  };
}

function plainSpec(text: string): Spec | undefined {
  const value = readPlainYaml(text);
  return value === undefined ? undefined : specSchema.safeParse(value).data;
}

async function anySpec(text: string, file: string): Promise<Spec> {
  const { parseYaml } = await import("../spec/yaml.ts");
  return parseYaml(text, file, specSchema);
}

/** Two stacks with one FRAMEWORK_NAME share containers and volumes; it stands in `.env`, else it follows the spec. */
function sameNames(frameworks: readonly Framework[]): string[] {
  const byName = new Map<string, Framework[]>();
  for (const framework of frameworks) {
    const name = effectiveName(framework);
    byName.set(name, [...(byName.get(name) ?? []), framework]);
  }
  return [...byName]
    .filter(([, same]) => same.length > 1)
    .map(([name, same]) => {
      const folders = same.map((framework) => framework.folder).join(" and ");
      return `${folders} are both FRAMEWORK_NAME=${name}, so they share containers and volumes: give one another name, in its ${SPEC_FILE} and in its .env`;
    });
}
