import { lstatSync, realpathSync, type Stats } from "node:fs";
import { dirname, join, sep } from "node:path";

import { EXIT, isErrno, UserError } from "../lib/errors.ts";
import { isContained } from "../render/tree.ts";

/**
 * The absolute path of a file to write below the root.
 *
 * Threat: a path from a template, a spec or a journal, or a link placed in a framework's directory, that leads a write
 * somewhere else: out of the root, or into another framework. Checked: the path's form (no absolute path, no `..`),
 * that the framework's directory is no link, that no existing parent resolves outside of it, and that the file itself
 * is not a link. Not checked: somebody who swaps a directory for a link between this check and the write; whoever can
 * do that inside the directory could as well edit the scripts in it.
 * @param root an existing directory
 * @param path `FRAMEWORK/…`, or the name of a file in the root itself
 * @throws UserError exit 1
 */
export function containedPath(root: string, path: string): string {
  if (!isContained(path)) throw escape(path);
  const [folder = "", ...rest] = path.split("/");
  const dir = rest.length === 0 ? root : join(root, folder);
  if (rest.length > 0 && isLink(dir)) throw escape(path);
  const target = join(root, path);
  for (let parent = dirname(target); parent.length > dir.length; parent = dirname(parent)) {
    try {
      const [real, resolved] = [realpathSync(dir), realpathSync(parent)];
      if (resolved !== real && !resolved.startsWith(real + sep)) throw escape(path);
      break;
    } catch (error) {
      if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
      // A link that leads nowhere yet: whoever makes a directory there decides where the file goes.
      if (isLink(parent)) throw escape(path);
    }
  }
  if (isLink(target)) throw escape(path);
  return target;
}

/** What is at a path, links not followed; undefined when there is nothing, or a file where a directory would be. */
export function entryAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function isLink(path: string): boolean {
  return entryAt(path)?.isSymbolicLink() === true;
}

function escape(path: string): UserError {
  return new UserError(`${path} leads somewhere else through a link; nothing was written`, {
    code: "path-escape",
    exit: EXIT.failure,
    hint: "replace the link with a file or directory of its own",
  });
}
