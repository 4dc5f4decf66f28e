import { existsSync } from "node:fs";
import { isAbsolute, join, normalize } from "node:path";

import type { ComposeText } from "../compose/stack.ts";
import { textOf } from "../host/files.ts";
import { UserError } from "../lib/errors.ts";
import type { Framework } from "./framework.ts";

/** The Compose files of a framework's stack, in the order in which Compose reads them. */
export interface StackFiles {
  files: readonly ComposeText[];
  /** What is missing or cannot be read, with its path as it is shown. */
  unread: readonly { file: string; message: string }[];
}

/** What Compose looks for where `COMPOSE_FILE` does not say, in its order: somebody may have renamed it. */
export const COMPOSE_NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

/**
 * The files that `docker compose` combines in a framework's directory: those of `COMPOSE_FILE` in `.env`, or the usual
 * one and its override.
 * @param shown the directory as it is shown to people
 */
export function stackFiles({ dir, env }: Framework, shown: string): StackFiles {
  const files: ComposeText[] = [];
  const unread: { file: string; message: string }[] = [];
  for (const name of namesIn(dir, env)) {
    const file = isAbsolute(name) ? name : `${shown}/${normalize(name)}`;
    try {
      const text = textOf(isAbsolute(name) ? name : join(dir, name), file);
      if (text === undefined) unread.push({ file, message: "there is no such file, or it is a directory" });
      else files.push({ file, text });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      unread.push({ file, message: error.message });
    }
  }
  return { files, unread };
}

function namesIn(dir: string, env: ReadonlyMap<string, string>): string[] {
  const listed = env.get("COMPOSE_FILE") ?? "";
  const separator = env.get("COMPOSE_PATH_SEPARATOR") ?? "";
  if (listed !== "") return listed.split(separator === "" ? ":" : separator).filter((name) => name !== "");
  const first = (names: readonly string[]): string[] => names.filter((name) => existsSync(join(dir, name))).slice(0, 1);
  const base = first(COMPOSE_NAMES);
  return base.length === 0 ? ["compose.yaml"] : [...base, ...first(OVERRIDES)];
}
