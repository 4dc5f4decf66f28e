import { accessSync, constants, readdirSync } from "node:fs";
import { isAbsolute, join } from "node:path";

import { isThere, textOf } from "../host/files.ts";
import { UserError } from "../lib/errors.ts";
import { mapping } from "../lib/mapping.ts";
import type { Spec } from "../spec/schema.ts";

/** A backup set that a stack could be restored from. */
export interface BackupSet {
  /** When it was begun, in UTC: `20261124T021500Z`. */
  id: string;
  /** The same in milliseconds since 1970. */
  time: number;
}

/**
 * A stack's newest backup set that counts: complete, not made by a restore, and where it is to be (in the repository, or
 * copied).
 * The same rule as `newest_backup` of scripts/lib/sets.sh, which is the one that monitoring goes by.
 * @param dir of the stack, absolute
 */
export function newestSet(dir: string, backup: Pick<Spec["backup"], "directory" | "driver">): BackupSet | undefined {
  const sets = isAbsolute(backup.directory) ? backup.directory : join(dir, backup.directory);
  // An empty one says nothing.
  const copied = isExecutable(join(dir, "hooks/copy")) ? (read(join(sets, ".copied"))?.trim() ?? NONE) : "";
  const id = setIds(sets).find((each) => {
    const folder = join(sets, each);
    const { complete, reason } = manifestOf(folder);
    if (complete !== true || (typeof reason === "string" && reason !== "")) return false;
    if (backup.driver === "restic") return namesIn(folder).length === 2 && isThere(join(folder, "manifest.sha256"));
    return copied === "" || (copied !== NONE && each <= copied);
  });
  return id === undefined ? undefined : { id, time: timeOf(id) };
}

const NONE = "none";

/** Newest first. */
function setIds(sets: string): string[] {
  return namesIn(sets)
    .filter((name) => /^\d{8}T\d{6}Z$/.test(name) && !Number.isNaN(timeOf(name)))
    .toSorted()
    .toReversed();
}

function timeOf(id: string): number {
  return Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

function manifestOf(folder: string): Record<string, unknown> {
  try {
    return mapping(JSON.parse(read(join(folder, "manifest.json")) ?? ""));
  } catch {
    return {};
  }
}

/** Sets may belong to somebody else: what may not be read counts as not there. */
function read(path: string): string | undefined {
  try {
    return textOf(path, path);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
