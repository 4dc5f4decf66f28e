import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Which files of these names git tracks below a directory, relative to it: in a commit, or about to be.
 * Runs no program that a repository's own settings name.
 * @param names such as `.env`, in the directory itself or in any below it
 * @returns none outside a repository; undefined where git is not installed, or refuses
 */
export function trackedFiles(dir: string, names: readonly string[]): Set<string> | undefined {
  return tracked(
    dir,
    names.map((name) => `:(glob)**/${name}`),
  );
}

/** Whether git tracks one file. @param path relative to the directory @returns undefined where git cannot be asked */
export function isTracked(dir: string, path: string): boolean | undefined {
  const found = tracked(dir, [`:(literal)${path}`]);
  return found === undefined ? undefined : found.size > 0;
}

function tracked(dir: string, patterns: readonly string[]): Set<string> | undefined {
  if (!isInRepository(dir)) return new Set();
  try {
    const text = execFileSync("git", ["-c", "core.fsmonitor=false", "-C", dir, "ls-files", "-z", "--", ...patterns], {
      env: withoutGit(process.env),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 20_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return new Set(text.split("\0").filter((path) => path !== ""));
  } catch {
    return undefined;
  }
}

/** A hook of another repository says where that one is. */
function withoutGit(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_")));
}

function isInRepository(dir: string): boolean {
  for (let at = dir; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return true;
    if (at === dirname(at)) return false;
  }
}
