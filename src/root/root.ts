import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

import type { Catalogue } from "../catalogue/catalogue.ts";
import { COMPOSE } from "../compose/file.ts";
import { EXIT, isErrno, unreadable, usageError, UserError } from "../lib/errors.ts";
import { quotedForShell } from "../lib/shell.ts";
import { basePath, checkState, FORMER_JOURNAL, STATE_FILE } from "../plan/state.ts";
import { ClaimTable, type Claim } from "../ports/claim.ts";
import { dotenvValues } from "../env/dotenv.ts";
import { readPlainYaml } from "../spec/plain-yaml.ts";
import { schemasFor, type Spec } from "../spec/schema.ts";
import { effectiveName, SPEC_FILE, type Framework } from "./framework.ts";
import { composeClaims, specClaims } from "./claims.ts";
import { COMPOSE_NAMES } from "./stack-files.ts";
import { isSkipped, warnOfLinkedDirectory, type Search } from "./compose-files.ts";
import { entriesOf, textOf } from "../host/files.ts";

/** What the root holds: read once, under the lock where something is going to be written. */
export interface Root {
  /** Absolute path. */
  dir: string;
  /** As the user named it. */
  shown: string;
  frameworks: readonly Framework[];
  /** Directories that cannot be read as a framework. */
  broken: readonly { folder: string; error: UserError }[];
  warnings: readonly string[];
  /** Those of the warnings that say that two stacks share containers and volumes. */
  shared: readonly string[];
  /** Who claims which port. Every compose file is read for it, so it is made when somebody asks, once. */
  claims: () => Promise<Claims>;
}

/** The claims of a root; the ports that this command gives join them. */
export interface Claims {
  all: readonly Claim[];
  table: ClaimTable;
  /** Files whose ports are not known. */
  warnings: readonly string[];
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

/** @throws UserError exit 2 for a root that does not exist, and what `checkRoot` throws */
export function requireRoot(dir: string, shown: string): void {
  checkRoot(dir, shown);
  if (statSync(dir, { throwIfNoEntry: false }) === undefined)
    throw usageError(`${shown} does not exist`, "give --root the directory that the frameworks are in");
}

/**
 * Reads every framework of a root. Cost is linear in their number; nothing is written.
 * @param shown how the root was named by the user, for messages
 * @throws UserError exit 2 for what cannot be a root; what is wrong with one framework is listed as `broken`
 */
export async function readRoot(dir: string, shown: string, catalogue: Catalogue): Promise<Root> {
  checkRoot(dir, shown);
  const search: Search = { root: dir, shown, catalogue, warnings: [] };
  const entries = entriesOf(dir);
  if (entries === undefined) throw unreadable(shown);
  const frameworks: Framework[] = [];
  const broken: { folder: string; error: UserError }[] = [];
  const links: string[] = [];
  for (const entry of entries) {
    if (entry.isSymbolicLink()) {
      const about = aboutLink(join(dir, entry.name), `${shown}/${entry.name}`);
      search.warnings.push(...about);
      if (about.length === 0) links.push(entry.name);
    }
    if (!entry.isDirectory() || isSkipped(entry.name)) continue;
    try {
      const framework = await readFramework(search, entry.name);
      if (framework !== undefined) frameworks.push(framework);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      broken.push({ folder: entry.name, error });
    }
  }
  const folders = entries.filter((entry) => entry.isDirectory() && !isSkipped(entry.name)).map(({ name }) => name);
  const shared = sameNames(frameworks);
  let claims: Promise<Claims> | undefined;
  return {
    dir,
    shown,
    frameworks,
    broken,
    warnings: [...search.warnings, ...shared],
    shared,
    claims: () => (claims ??= readClaims({ ...search, warnings: [] }, folders, links, frameworks)),
  };
}

/** What to say of a link in the root; nothing when it leads to something that is no framework. */
function aboutLink(path: string, shown: string): string[] {
  try {
    if (textOf(join(path, SPEC_FILE), `${shown}/${SPEC_FILE}`) === undefined) return [];
    return [`${shown} is a link to a framework; it is left alone, and its ports are not known`];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [`${shown} is a link, and ${error.message}; if a framework is behind it, its ports are not known`];
  }
}

async function readClaims(
  search: Search,
  folders: readonly string[],
  links: readonly string[],
  frameworks: readonly Framework[],
): Promise<Claims> {
  const byFolder = new Map(frameworks.map((framework) => [framework.folder, framework]));
  const all = await composeClaims(search, "", undefined);
  for (const folder of folders) {
    const framework = byFolder.get(folder);
    if (framework !== undefined) all.push(...specClaims(framework, search));
    for (const claim of await composeClaims(search, folder, framework)) all.push(claim);
  }
  for (const link of links) warnOfLinkedDirectory(search, link);
  return { all, table: new ClaimTable(all), warnings: search.warnings };
}

/** The claims of a root after a framework was given other ports: they count for those that are given after that. */
export function withMovedPorts(
  claims: Claims,
  framework: Framework,
  spec: Spec,
  root: Root,
  catalogue: Catalogue,
): Claims {
  const search: Search = { root: root.dir, shown: root.shown, catalogue, warnings: [] };
  const others = claims.all.filter((claim) => claim.framework !== framework.folder || claim.source === "foreign");
  // What `.env` says was made from the old spec: a managed port follows the new one.
  const all = [...others, ...specClaims({ ...framework, spec, env: new Map() }, search)];
  return { ...claims, all, table: new ClaimTable(all) };
}

async function readFramework(
  { root, shown, catalogue, warnings }: Search,
  folder: string,
): Promise<Framework | undefined> {
  const dir = join(root, folder);
  const text = (file: string, links: "followed" | "refused" = "refused"): string | undefined =>
    textOf(join(dir, file), `${shown}/${folder}/${file}`, links);
  const specText = text(SPEC_FILE);
  if (specText === undefined) {
    // What `remove-framework` leaves has no state, and other people's directories have none.
    if (text(STATE_FILE) === undefined) return undefined;
    throw lostSpec(`${shown}/${folder}`);
  }
  const spec =
    plainSpec(specText, catalogue) ?? (await anySpec(specText, `${shown}/${folder}/${SPEC_FILE}`, catalogue));
  let env: string | undefined;
  try {
    env = text(".env", "followed");
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // It is private, and it may be another user's: the spec's ports are still known.
    warnings.push(`${error.message}; a port that it overrides is not known`);
  }
  if (existsSync(join(dir, FORMER_JOURNAL)))
    warnings.push(
      `${shown}/${folder}/${FORMER_JOURNAL} is not used: it is from another version, or from elsewhere; delete it`,
    );
  if (!COMPOSE_NAMES.some((name) => existsSync(join(dir, name))) && existsSync(join(dir, basePath(COMPOSE))))
    warnings.push(lostCompose(`${shown}/${folder}`));
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

/** The stack cannot start without it, but a file that somebody deleted is not made again. */
function lostCompose(shown: string): string {
  const base = `${shown}/${basePath(COMPOSE)}`;
  return `${shown}/${COMPOSE} is missing, so its stack cannot start; to get it back: git restore ${quotedForShell(`${shown}/${COMPOSE}`)}, or rm ${quotedForShell(base)} and npm run regenerate`;
}

function lostSpec(shown: string): UserError {
  return new UserError(`${shown}/${SPEC_FILE} is missing, and everything else is made from it`, {
    code: "spec-missing",
    exit: EXIT.usage,
    hint: `git restore ${quotedForShell(`${shown}/${SPEC_FILE}`)}, or restore it from a backup; if the framework is gone for good, delete the directory (its .env opens the volumes)`,
  });
}

function plainSpec(text: string, catalogue: Catalogue): Spec | undefined {
  const value = readPlainYaml(text);
  return value === undefined ? undefined : schemasFor(catalogue).spec.safeParse(value).data;
}

async function anySpec(text: string, file: string, catalogue: Catalogue): Promise<Spec> {
  const { parseYaml } = await import("../lib/yaml.ts");
  return parseYaml(text, file, schemasFor(catalogue).spec);
}

/** Two stacks with one FRAMEWORK_NAME share containers and volumes; it is in `.env`, or else it follows the spec. */
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
