import { spawn, type ChildProcess } from "node:child_process";
import fs from "fs-extra";
import { join } from "node:path";

import { PROJECT } from "./project.ts";

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Options {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  timeout?: number;
}

/** The test's own environment would change what the program prints or believes (npm, CI, colours). */
function cleanEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|CI$|NO_COLOR|FORCE_COLOR|VITEST|NODE_ENV|TEST$|DEV$|MODE$|PROD$)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** Starts a program; `result` is what it printed and how it ended. */
export function start(
  command: string,
  args: readonly string[],
  options: Options = {},
): { child: ChildProcess; result: Promise<Outcome> } {
  const child = spawn(command, args, {
    cwd: options.cwd ?? PROJECT,
    env: cleanEnv(options.env),
    stdio: ["pipe", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeout ?? 60_000);
  const result = new Promise<Outcome>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...texts });
    });
  });
  return { child, result };
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[], options?: Options): Promise<Outcome> {
  return start(command, args, options).result;
}

export const LAUNCHER = join(PROJECT, "bin", "framework-infra.js");

/** Runs the built program. */
export async function cli(args: readonly string[], options?: Options): Promise<Outcome> {
  return run(process.execPath, [LAUNCHER, ...args], options);
}

/** Every file below a directory, with its text, but `skip`; links and empty directories are named as such. */
export function snapshot(dir: string, skip: RegExp = /^$/): Record<string, string> {
  const files: Record<string, string> = {};
  if (!fs.existsSync(dir)) return files;
  for (const entry of fs.readdirSync(dir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(dir.length + 1);
    if (skip.test(name)) continue;
    if (entry.isFile()) files[name] = fs.readFileSync(path, "utf8");
    else if (entry.isSymbolicLink()) files[name] = `-> ${fs.readlinkSync(path)}`;
    else if (fs.readdirSync(path).length === 0) files[name] = "(empty directory)";
  }
  return files;
}

/** A directory's files with every generated secret replaced by its length: what two runs must share. */
export function withoutSecrets(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [
      path,
      text.replaceAll(/[0-9a-f]{64}(?![0-9a-f])/g, path.endsWith(".env") ? "<secret>" : "$&"),
    ]),
  );
}

/** Frameworks with Qdrant and PostgreSQL, every other answer the default. */
export async function make(cwd: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    const { code, stderr } = await cli(["new-framework", name, "--yes", "--services", "qdrant,postgres"], { cwd });
    if (code !== 0) throw new Error(stderr);
  }
}
