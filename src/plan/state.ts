import { problemsError } from "../errors.ts";

/** Where the base lives inside a framework's directory. */
export const SCAFFOLD_DIR = ".scaffold";
export const STATE_FILE = `${SCAFFOLD_DIR}/state.json`;

/** One generated file as it was last written. */
export interface StateFile {
  path: string;
  sha256: string;
  mode: number;
}

/** `.scaffold/state.json`: committed, so it holds no time, no host, no secret. */
export interface State {
  schemaVersion: 1;
  files: StateFile[];
}

/**
 * The path of a file's base bytes. The ending keeps tools from taking it for the real thing:
 * there is no live `.gitignore` or `compose.yaml` inside `.scaffold/`.
 */
export function basePath(path: string): string {
  return `${SCAFFOLD_DIR}/base/${path}.base`;
}

export function formatState(state: State): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

/** @throws UserError exit 2 when the file was damaged (a merge marker, say) */
export function parseState(text: string, file: string): State {
  try {
    const value: unknown = JSON.parse(text);
    if (isState(value)) return value;
  } catch {
    // Reported below, together with a file of the wrong shape.
  }
  throw problemsError(
    file,
    [{ file, message: "is damaged" }],
    "restore it from git, or delete it: every file then counts as edited",
  );
}

function isState(value: unknown): value is State {
  return (
    typeof value === "object" &&
    value !== null &&
    "schemaVersion" in value &&
    value.schemaVersion === 1 &&
    "files" in value &&
    Array.isArray(value.files) &&
    value.files.every(
      (file: unknown) =>
        typeof file === "object" &&
        file !== null &&
        "path" in file &&
        typeof file.path === "string" &&
        "sha256" in file &&
        typeof file.sha256 === "string" &&
        "mode" in file &&
        typeof file.mode === "number",
    )
  );
}
