import type { RenderedFile } from "../render/tree.ts";

/**
 * Everything that one command changes below the root, or that one framework of a long run changes: all of it comes to
 * be, or nothing. Paths are relative to the root.
 */
export interface Transaction {
  /** Directories that do not exist yet; each is put in place by one rename. */
  directories: ReadonlyMap<string, ReadonlyMap<string, RenderedFile>>;
  writes: ReadonlyMap<string, RenderedFile>;
  removes: ReadonlySet<string>;
  /** sha256 that each written or deleted file must still have; null: it must not exist. */
  preconditions: ReadonlyMap<string, string | null>;
  /** Files that are made from everything else, whatever is there now: the port table. */
  derived: ReadonlyMap<string, RenderedFile>;
}

export const NOTHING: Transaction = {
  directories: new Map(),
  writes: new Map(),
  removes: new Set(),
  preconditions: new Map(),
  derived: new Map(),
};

/** Whether a transaction changes nothing. */
export function isNothing({ directories, writes, removes, derived }: Transaction): boolean {
  return directories.size + writes.size + removes.size + derived.size === 0;
}
