import { problemsError } from "../lib/errors.ts";
import { isMapping } from "../lib/mapping.ts";

/** Where the base lives inside a framework's directory. */
export const SCAFFOLD_DIR = ".scaffold";
export const STATE_FILE = `${SCAFFOLD_DIR}/state.json`;
/** How fast this host's stack was, once (`validate --baseline`); git-ignored. */
export const BASELINE_FILE = `${SCAFFOLD_DIR}/host/baseline.json`;
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

/** What made a directory. */
export interface Provenance {
  /** The program's version. */
  program: string;
  /** sha256 over the templates. */
  templates: string;
  /** Whether they were somebody's own (`--templates`). */
  isOwn: boolean;
}

/**
 * `.scaffold/state.json`: the version of this layout, and what made the directory. What was generated is what lies below
 * `.scaffold/base/`.
 */
export function stateText({ program, templates, isOwn }: Provenance): string {
  const state = { schemaVersion: 1, program, templates, ...(isOwn ? { ownTemplates: true } : {}) };
  return `${JSON.stringify(state, null, 2)}\n`;
}

/**
 * What a state file says of its origin. Two branches may have been made by different versions: of both sides of git's
 * markers, the newer program counts.
 * @returns undefined for a directory from before this was recorded
 */
export function provenanceOf(text: string | undefined): Provenance | undefined {
  if (text === undefined) return undefined;
  const [newest] = sidesOf(text)
    .flatMap((side) => {
      const { program, templates, ownTemplates } = (parsed(side) ?? {}) as Record<string, unknown>;
      return typeof program === "string" && typeof templates === "string"
        ? [{ program, templates, isOwn: ownTemplates === true }]
        : [];
    })
    .toSorted((a, b) => compareVersions(b.program, a.program));
  return newest;
}

/** Negative when `a` is the older one; what is no version is the oldest. */
export function compareVersions(a: string, b: string): number {
  const [one, two] = [a, b].map((text) => /^(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number) ?? []);
  for (let part = 0; part < 3; part += 1) {
    const difference = (one?.[part] ?? -1) - (two?.[part] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The text, or the two texts that git left between its markers. */
function sidesOf(text: string): string[] {
  if (!/^<{7} /m.test(text)) return [text];
  // Line by line: a pattern over the whole takes time that grows with the cube of a text that somebody made for that.
  const [ours, theirs]: [string[], string[]] = [[], []];
  let at: "both" | "ours" | "base" | "theirs" = "both";
  for (const line of text.split("\n")) {
    if (at === "both" && line.startsWith("<<<<<<< ")) at = "ours";
    else if (at === "ours" && line.startsWith("|||||||")) at = "base";
    else if ((at === "ours" || at === "base") && line === "=======") at = "theirs";
    else if (at === "theirs" && line.startsWith(">>>>>>> ")) at = "both";
    else {
      if (at === "both" || at === "ours") ours.push(line);
      if (at === "both" || at === "theirs") theirs.push(line);
    }
  }
  return [ours.join("\n"), theirs.join("\n")];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** @throws UserError exit 2 when the layout is another one, or the file was damaged */
export function checkState(text: string, file: string): void {
  const [value] = sidesOf(text).map(parsed);
  const version = isMapping(value) ? value["schemaVersion"] : undefined;
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
