import { lstatSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";

import { EXIT, isErrno, UserError } from "../errors.ts";
import { isContained } from "../render/tree.ts";

/**
 * The absolute path of a file to write inside a directory.
 *
 * Threat: a path from a template or a spec, or a link placed in the directory, that leads a write
 * somewhere else. Checked: the path's form (no absolute path, no `..`), that no existing parent
 * resolves outside the directory, and that the file itself is not a link. Not checked: somebody
 * who swaps a directory for a link between this check and the write; whoever can do that
 * inside the directory could as well edit the scripts in it.
 * @param dir an existing directory
 * @throws UserError exit 1
 */
export function containedPath(dir: string, path: string): string {
  if (!isContained(path)) throw escape(path);
  const real = realpathSync(dir);
  const target = join(dir, path);
  for (let parent = dirname(target); parent.length > dir.length; parent = dirname(parent)) {
    try {
      const resolved = realpathSync(parent);
      if (resolved !== real && !resolved.startsWith(real + sep)) throw escape(path);
      break;
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }
  try {
    if (lstatSync(target).isSymbolicLink()) throw escape(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
  return target;
}

function escape(path: string): UserError {
  return new UserError(`${path} leads somewhere else through a link; nothing was written`, {
    code: "path-escape",
    exit: EXIT.failure,
    hint: "replace the link by a file or directory of its own",
  });
}
