import { problemsError } from "../lib/errors.ts";

/** Where the base lives inside a framework's directory. */
export const SCAFFOLD_DIR = ".scaffold";
export const STATE_FILE = `${SCAFFOLD_DIR}/state.json`;
/** Where version 0.1.0 staged a change; a directory that somebody else made may have one as well. */
export const FORMER_JOURNAL = `${SCAFFOLD_DIR}/journal`;
/** Where the base and what open conflicts are about lie. */
export const BASE_DIR = `${SCAFFOLD_DIR}/base`;
export const INCOMING_DIR = `${SCAFFOLD_DIR}/incoming`;
const STORED_ENDING = ".base";
/** Ending of the new rendition that is put beside a file in conflict. */
export const INCOMING_ENDING = ".incoming";

/**
 * The path of a file's base: what was last generated for it. The ending keeps tools from taking it for the real
 * thing: there is no live `.gitignore` or `compose.yaml` inside `.scaffold/`.
 */
export function basePath(path: string): string {
  return `${BASE_DIR}/${path}${STORED_ENDING}`;
}

/**
 * The path of the rendition that an open conflict is about. It becomes the base once the user has deleted the
 * `.incoming` beside the file, whatever was made of that one in between.
 */
export function offeredPath(path: string): string {
  return `${INCOMING_DIR}/${path}${STORED_ENDING}`;
}

export function incomingPath(path: string): string {
  return `${path}${INCOMING_ENDING}`;
}

/** The file that a path below `.scaffold/base/` or `.scaffold/incoming/` is about. */
export function storedFor(path: string): { kind: "base" | "offered"; path: string } | undefined {
  for (const [kind, dir] of [["base", BASE_DIR] as const, ["offered", INCOMING_DIR] as const]) {
    if (path.startsWith(`${dir}/`) && path.endsWith(STORED_ENDING))
      return { kind, path: path.slice(dir.length + 1, -STORED_ENDING.length) };
  }
  return undefined;
}

/**
 * `.scaffold/state.json`: the version of this layout, and nothing that two branches could disagree about.
 * What was generated is what lies below `.scaffold/base/`.
 */
export const STATE_TEXT = `${JSON.stringify({ schemaVersion: 1 }, null, 2)}\n`;

/** @throws UserError exit 2 when the layout is another one, or the file was damaged (a merge marker, say) */
export function checkState(text: string, file: string): void {
  let version: unknown;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "schemaVersion" in value) version = value.schemaVersion;
  } catch {
    // Reported below, together with a file of the wrong shape.
  }
  if (version === 1) return;
  const newer = typeof version === "number" && version > 1;
  throw problemsError(
    file,
    [
      {
        file,
        message: newer ? `has schemaVersion ${String(version)}, which is newer than this program` : "is damaged",
      },
    ],
    newer ? "update framework-infra" : "restore it from git, or delete it",
  );
}
