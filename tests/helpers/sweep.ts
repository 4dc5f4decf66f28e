import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, utimesSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, vi } from "vitest";

import { isFull } from "./arbitrary.ts";
import { cli, run, type Outcome } from "./cli.ts";

/** The preload that counts, kills and refuses writes. */
export const KILL_AT = new URL("kill-at.mjs", import.meta.url).href;
const FREE_PORTS = new URL("free-ports.mjs", import.meta.url).href;

/** For a file whose programs run beside others and must all be given the same ports. Call it at the top level. */
export function onFreePorts(): void {
  beforeAll(() => {
    vi.stubEnv("NODE_OPTIONS", `--import=${FREE_PORTS}`);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });
}

export interface Counted {
  outcome: Outcome;
  /** Each call that writes below the directory, in order: its name, and its path from there. */
  calls: readonly string[];
}

/** Runs the built program undisturbed. @returns what it writes below its working directory, call by call */
export async function countWrites(args: readonly string[], cwd: string, env?: NodeJS.ProcessEnv): Promise<Counted> {
  const log = `${cwd}.calls`;
  try {
    const outcome = await observed(args, cwd, { FI_KILL_COUNT: log, ...env });
    const lines = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
    return { outcome, calls: lines.map((line) => line.replace(/^\d+ /, "").replace(`${cwd}/`, "")) };
  } finally {
    rmSync(log, { force: true });
  }
}

/** Runs the built program; it is killed right before the n-th call that writes. */
export async function killAt(n: number, args: readonly string[], cwd: string): Promise<Outcome> {
  return observed(args, cwd, { FI_KILL_AT: String(n) });
}

/**
 * Runs the built program; the n-th call that writes fails with an error of the system.
 * @param code such as ENOSPC; with `+` before it, every later call fails as well
 * @param killedAt the later call before which it is killed, if it comes so far
 */
export async function failAt(
  n: number,
  code: string,
  args: readonly string[],
  cwd: string,
  killedAt = 0,
): Promise<Outcome> {
  const fail = `${String(n)}${code.startsWith("+") ? "+" : ""}:${code.replace("+", "")}`;
  return observed(args, cwd, { FI_KILL_FAIL: fail, FI_KILL_AT: String(killedAt) });
}

function observed(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const options = `${process.env["NODE_OPTIONS"] ?? ""} --import=${KILL_AT}`;
  return cli(args, { cwd, env: { ...NO_ENGINE, NODE_OPTIONS: options, FI_KILL_BELOW: cwd, ...env } });
}

/** Runs the built program as it is. */
export async function plainly(args: readonly string[], cwd: string): Promise<Outcome> {
  return cli(args, { cwd, env: NO_ENGINE });
}

/** No container engine is found: what one of this host would say has nothing to do with these directories. */
const NO_ENGINE = { PATH: "/nowhere" };

/** Everything below a directory by its path: kind, mode, and text or target. Directories too, so also empty ones. */
export type Tree = Readonly<Record<string, string>>;

const HEX = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;

/**
 * What is below a directory.
 * @param known secrets that stay as they are; any other one in an `.env` is new, and no two runs make the same
 */
export function treeOf(dir: string, known: ReadonlySet<string> = new Set()): Tree {
  const tree: Record<string, string> = {};
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const mode = (lstatSync(path).mode & 0o7777).toString(8);
    tree[path.slice(dir.length + 1)] = entry.isSymbolicLink()
      ? `link -> ${readlinkSync(path)}`
      : entry.isFile()
        ? `file ${mode}\n${textOf(path, known)}`
        : `${entry.isDirectory() ? "directory" : "other"} ${mode}`;
  }
  return tree;
}

function textOf(path: string, known: ReadonlySet<string>): string {
  const text = readFileSync(path, "utf8");
  if (basename(path) !== ".env") return text;
  return text.replaceAll(HEX, (secret) => (known.has(secret) ? secret : "<secret>"));
}

/** Secrets in the `.env` files below a directory. */
export function secretsIn(dir: string): Set<string> {
  const files = readdirSync(dir, { withFileTypes: true, recursive: true }).filter(
    (entry) => entry.isFile() && entry.name === ".env",
  );
  return new Set(
    files.flatMap(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8").match(HEX) ?? []),
  );
}

/** Where two trees differ: paths that are only in the first (`+`), only in the second (`-`), or not the same (`~`). */
export function differences(tree: Tree, other: Tree): string[] {
  const paths = new Set([...Object.keys(tree), ...Object.keys(other)]);
  return [...paths]
    .toSorted()
    .filter((path) => tree[path] !== other[path])
    .map((path) => `${tree[path] === undefined ? "-" : other[path] === undefined ? "+" : "~"} ${path}`);
}

/**
 * A sample of 1..total, the same for every run: first, last, their neighbours, and one of each of as many strata as
 * are wanted beside them. In the full run, all.
 */
export function pick(total: number, wanted: number): number[] {
  const all = Array.from({ length: Math.max(total, 0) }, (_, index) => index + 1);
  if (isFull || total <= Math.max(wanted, 4)) return all;
  const strata = Math.max(wanted - 4, 0);
  const size = (total - 4) / Math.max(strata, 1);
  // Not always the same place in a stratum: what a program writes is periodic.
  const places = Array.from({ length: strata }, (_, index) => index + ((index * 0.618 + 0.3) % 1));
  const inner = new Set(places.map((place) => 3 + Math.floor(place * size)));
  return all.filter((n) => n <= 2 || n > total - 2 || inner.has(n));
}

/** As if so much time had passed since a kill that nobody takes its lock for held. */
export function ageLocks(root: string): void {
  if (!existsSync(root)) return;
  const then = new Date(Date.now() - 600_000);
  for (const name of readdirSync(root)) if (name.endsWith(".lock")) utimesSync(join(root, name), then, then);
}

/** A git directory of its own, for `addable`. */
export async function gitDir(dir: string): Promise<string> {
  mkdirSync(dir, { recursive: true });
  await git(["init", "-q", dir], dir);
  return join(dir, ".git");
}

/**
 * Files that `git add -A` would take into a repository, were it one, with a secret in them.
 * @param secrets that are known; beside them, whatever looks like a line of an `.env` with one
 */
export async function addableSecrets(
  cwd: string,
  gitDirectory: string,
  secrets: ReadonlySet<string>,
): Promise<string[]> {
  const args = [`--git-dir=${gitDirectory}`, "--work-tree=.", "add", "-A", "-n"];
  // An index of its own, or two of these at a time would wait for each other.
  const { stdout } = await git(args, cwd, { GIT_INDEX_FILE: `${cwd}.index` });
  const paths = [...stdout.matchAll(/^add '(.*)'$/gm)].map(([, path]) => path ?? "");
  return paths.filter((path) => {
    const text = readFileSync(join(cwd, path), "latin1");
    return /^[A-Z][A-Z0-9_]*=.*[0-9a-f]{64}/m.test(text) || (text.match(HEX) ?? []).some((found) => secrets.has(found));
  });
}

async function git(args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const outcome = await run("git", ["-c", "core.excludesFile=/dev/null", ...args], {
    cwd,
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", ...env },
  });
  if (outcome.code !== 0) throw new Error(outcome.stderr);
  return outcome;
}

/** Does something for each item, two at a time. @returns the results, in the items' order */
export async function byTwo<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item, index);
  };
  await Promise.all([worker(), worker()]);
  return results;
}
