import { readFileSync } from "node:fs";
import { join } from "node:path";

import { basePath } from "../plan/state.ts";

/** Texts of the files that are there; what was deleted is absent from the map. */
export function readTexts(dir: string, paths: Iterable<string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of paths) {
    try {
      found.set(path, readFileSync(join(dir, path), "utf8"));
    } catch {
      // No such file, which is how plan and status see it.
    }
  }
  return found;
}

/** What was last generated, by the path of the file itself. */
export function readBase(dir: string, paths: Iterable<string>): Map<string, string> {
  return new Map(
    [...paths].flatMap((path) => {
      const text = readTexts(dir, [basePath(path)]).get(basePath(path));
      return text === undefined ? [] : [[path, text] as const];
    }),
  );
}
