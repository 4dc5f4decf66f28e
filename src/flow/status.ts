import { UserError } from "../lib/errors.ts";
import type { Action } from "../plan/plan.ts";
import { statusOf, type DirectoryStatus } from "../plan/status.ts";
import { storedIn } from "../plan/stored.ts";
import { chosenFrameworks } from "../root/find.ts";
import type { Framework } from "../root/framework.ts";
import type { Root } from "../root/root.ts";
import { readDirectory } from "../store/directory.ts";
import type { Place } from "./place.ts";
import { planUpToDate } from "./road/bring-up-to-date.ts";
import { PortBook } from "./road/ports.ts";
import { openSession } from "./session.ts";

/** The state of every file. */
export interface StatusRequest {
  place: Place;
  /** All frameworks when none is named. */
  frameworks: readonly string[];
  /** For `--check`, on a host that need not run the stack: no engine is asked. */
  isCheck: boolean;
}

export interface FrameworkStatus extends DirectoryStatus {
  name: string;
  /** Managed variables that `.env` gives another value. */
  overrides: readonly string[];
  /** What regenerate would do; a text when it would refuse. */
  would: readonly Action[] | string;
}

export interface StatusResult {
  frameworks: readonly FrameworkStatus[];
  /** Of directories that cannot be read as a framework, or hold something else in the place of a file. */
  errors: readonly UserError[];
  notes: readonly string[];
}

/** Compares each file with what was generated and with what would be generated now. */
export async function status({ place, frameworks: names, isCheck }: StatusRequest): Promise<StatusResult> {
  const session = await openSession(place, { dry: true });
  const { root } = session;
  const book = new PortBook(root, place, { isCheck });
  const isNamed = (folder: string): boolean => names.length === 0 || names.includes(folder);
  const frameworks: FrameworkStatus[] = [];
  const errors = root.broken.filter(({ folder }) => isNamed(folder)).map(({ error }) => error);
  const readable = names.filter((name) => root.broken.every(({ folder }) => folder !== name));
  // Named ones that cannot be read are no reason to stop; a name that is nowhere is.
  for (const framework of names.length > 0 && readable.length === 0 ? [] : chosenFrameworks(root, readable)) {
    try {
      frameworks.push(await inspect(framework, root, book, place));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      errors.push(error);
    }
  }
  return {
    frameworks,
    errors,
    notes: [...session.notes, ...root.warnings.map((warning) => `warning: ${warning}`)],
  };
}

async function inspect(framework: Framework, root: Root, book: PortBook, place: Place): Promise<FrameworkStatus> {
  const name = framework.folder;
  try {
    const { disk, next, overrides, plan, lacksSecrets } = await planUpToDate(framework, root, book, place);
    const env = !disk.has(ENV) ? "missing" : lacksSecrets ? "outdated" : undefined;
    return { name, ...withEnv(statusOf(disk, next), env), overrides, would: plan.actions };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // What would be generated is not known; what was generated is.
    const disk = readDirectory(framework.dir, [ENV], `${place.shown}/${name}`);
    const base = [...storedIn(disk).base].map(([path, content]) => [path, { content, mode: 0o644 }] as const);
    const found = { ...statusOf(disk, new Map(base)), outdated: true };
    return { name, ...withEnv(found, disk.has(ENV) ? undefined : "missing"), overrides: [], would: error.message };
  }
}

/** @param state of `.env`; undefined when there is nothing to say of it */
function withEnv(found: DirectoryStatus, state: "missing" | "outdated" | undefined): DirectoryStatus {
  return state === undefined ? found : { ...found, files: [{ path: ENV, state }, ...found.files] };
}

const ENV = ".env";
