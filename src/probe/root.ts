import { readdirSync, readFileSync, statSync, type Dirent } from "node:fs";
import { join } from "node:path";

import type { Catalogue } from "../catalogue/catalogue.ts";
import { sha256 } from "../digest.ts";
import { EXIT, isErrno, usageError, UserError } from "../errors.ts";
import { ClaimTable, type Claim } from "../ports/claim.ts";
import { COMPOSE_FILE, publishedPorts } from "../ports/compose.ts";
import { dotenvValues } from "../spec/dotenv.ts";
import { interpolate } from "../spec/interpolate.ts";
import { specSchema, type Spec } from "../spec/schema.ts";
import { STATE_FILE, parseState, type State } from "../plan/state.ts";

export const SPEC_FILE = "framework.yaml";

/** One framework directory as it is on disk. */
export interface Framework {
  name: string;
  /** Its directory below the root: the name, unless somebody renamed or copied it. */
  folder: string;
  /** Absolute path. */
  dir: string;
  spec: Spec;
  specText: string;
  env: ReadonlyMap<string, string>;
  state: State | undefined;
}

/** What the root holds: read once, under the lock where something is going to be written. */
export interface Root {
  dir: string;
  frameworks: readonly Framework[];
  claims: ClaimTable;
  allClaims: readonly Claim[];
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

/**
 * Reads every framework and every other compose file below the root.
 * Cost is linear in the number of files; nothing is written.
 * @param shown how the root was named by the user, for messages
 * @throws UserError exit 2 when a framework.yaml is broken: its ports could not be known
 */
export async function readRoot(dir: string, shown: string, catalogue: Catalogue): Promise<Root> {
  checkRoot(dir, shown);
  const frameworks: Framework[] = [];
  const claims: Claim[] = [];
  const warnings: string[] = [];
  const entries = list(dir, shown);
  for (const entry of entries) {
    if (entry.isFile() && COMPOSE_FILE.test(entry.name))
      claims.push(...(await foreignClaims(dir, shown, "", entry.name, undefined, catalogue, warnings)));
    if (!entry.isDirectory() || SKIPPED.test(entry.name)) continue;
    const framework = await readFramework(join(dir, entry.name), entry.name, `${shown}/${entry.name}`);
    if (framework !== undefined) {
      frameworks.push(framework);
      claims.push(...specClaims(framework, `${shown}/${entry.name}`, catalogue));
    }
    claims.push(...(await composeBelow(dir, shown, entry.name, framework, catalogue, warnings, 0)));
  }
  warnings.push(...sameNames(frameworks));
  return { dir, frameworks, claims: new ClaimTable(claims), allClaims: claims, warnings };
}

const SKIPPED = /^(?:\..*|node_modules)$/;

// How deep foreign compose files are looked for below a directory of the root.
const MAX_DEPTH = 2;

async function composeBelow(
  root: string,
  shown: string,
  folder: string,
  framework: Framework | undefined,
  catalogue: Catalogue,
  warnings: string[],
  depth: number,
): Promise<Claim[]> {
  const claims: Claim[] = [];
  for (const entry of list(join(root, folder), `${shown}/${folder}`)) {
    if (entry.isFile() && COMPOSE_FILE.test(entry.name)) {
      claims.push(...(await foreignClaims(root, shown, folder, entry.name, framework, catalogue, warnings)));
    } else if (entry.isDirectory() && !SKIPPED.test(entry.name) && depth < MAX_DEPTH) {
      claims.push(
        ...(await composeBelow(root, shown, `${folder}/${entry.name}`, framework, catalogue, warnings, depth + 1)),
      );
    }
  }
  return claims;
}

function list(dir: string, shown: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    if (isErrno(error, "EACCES", "EPERM")) throw unreadable(shown);
    throw error;
  }
}

function unreadable(shown: string): UserError {
  return new UserError(`${shown} cannot be read: permission denied`, {
    code: "unreadable",
    exit: EXIT.usage,
    hint: "check its owner and mode (ls -ld), or give another --root",
  });
}

async function readFramework(dir: string, folder: string, shown: string): Promise<Framework | undefined> {
  const specText = readText(join(dir, SPEC_FILE));
  if (specText === undefined) return undefined;
  const { parseYaml } = await import("../spec/yaml.ts");
  const spec = parseYaml(specText, `${shown}/${SPEC_FILE}`, specSchema);
  const env = readText(join(dir, ".env"));
  const state = readText(join(dir, STATE_FILE));
  return {
    name: spec.name,
    folder,
    dir,
    spec,
    specText,
    env: env === undefined ? new Map() : dotenvValues(env),
    state: state === undefined ? undefined : parseState(state, `${shown}/${STATE_FILE}`),
  };
}

/** What a framework's spec gives, and what its `.env` makes of it: both count. */
function specClaims(framework: Framework, shown: string, catalogue: Catalogue): Claim[] {
  return Object.entries(framework.spec.services).flatMap(([id, service]): Claim[] => {
    const published = catalogue.services.get(id)?.port;
    if (published === undefined || service.port === undefined) return [];
    const base = {
      protocol: published.protocol,
      address: nonEmpty(framework.env.get("BIND_ADDRESS")) ?? "127.0.0.1",
      framework: framework.folder,
      service: id,
      variable: published.variable,
    };
    const written: Claim = {
      ...base,
      port: service.port,
      source: "spec",
      file: `${shown}/${SPEC_FILE}`,
      shadowed: false,
    };
    const override = portNumber(framework.env.get(published.variable));
    if (override === undefined || override === service.port) return [written];
    return [
      { ...base, port: override, source: "env", file: `${shown}/.env`, shadowed: false },
      { ...written, shadowed: true },
    ];
  });
}

async function foreignClaims(
  root: string,
  shown: string,
  folder: string,
  file: string,
  framework: Framework | undefined,
  catalogue: Catalogue,
  warnings: string[],
): Promise<Claim[]> {
  const path = folder === "" ? file : `${folder}/${file}`;
  const text = readText(join(root, path));
  if (text === undefined || !/ports/.test(text)) return [];
  // Our own compose file, never edited: its ports are those of the spec and `.env`.
  if (framework !== undefined && isGenerated(framework, path, text)) return [];

  const envText = readText(join(root, folder, ".env"));
  const env = envText === undefined ? new Map<string, string>() : dotenvValues(envText);
  const { parseForeignYaml } = await import("../spec/yaml.ts");
  const doc = parseForeignYaml(text);
  if (doc === undefined) {
    warnings.push(`${shown}/${path} is not valid YAML, so the ports it publishes are not known`);
    return [];
  }
  const own = framework === undefined ? [] : ownVariables(framework, catalogue);
  return publishedPorts(doc, (value) => interpolate(value, (name) => env.get(name)))
    .filter((published) => !own.some((variable) => published.raw.includes(variable)))
    .map((published) => ({
      protocol: published.protocol,
      port: published.port,
      address: published.address,
      framework: framework?.folder ?? folder.split("/", 1)[0] ?? "",
      service: published.service,
      variable: /\$\{?([A-Za-z_][A-Za-z0-9_]*)[^$]*$/.exec(published.raw.replace(/:[^:}]*$/, ""))?.[1] ?? null,
      source: "foreign" as const,
      file: `${shown}/${path}`,
      shadowed: false,
    }));
}

function isGenerated(framework: Framework, path: string, text: string): boolean {
  const known = framework.state?.files.find((entry) => path === `${framework.folder}/${entry.path}`);
  return known !== undefined && known.sha256 === sha256(text);
}

/** Two directories with one name share containers and volumes. */
function sameNames(frameworks: readonly Framework[]): string[] {
  const byName = new Map<string, Framework[]>();
  for (const framework of frameworks) {
    byName.set(framework.name, [...(byName.get(framework.name) ?? []), framework]);
  }
  return [...byName]
    .filter(([, same]) => same.length > 1)
    .map(
      ([name, same]) =>
        `${same.map((framework) => `${framework.folder}/${SPEC_FILE}`).join(" and ")} say name: ${name}, so they share containers and volumes; give one another name`,
    );
}

/** Variables of the ports that `specClaims` already accounts for. */
function ownVariables(framework: Framework, catalogue: Catalogue): string[] {
  return Object.keys(framework.spec.services).flatMap((id) => catalogue.services.get(id)?.port?.variable ?? []);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function portNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EISDIR", "EACCES")) return undefined;
    throw error;
  }
}
