import fs from "fs-extra";
import { join } from "node:path";

import { CASES } from "../golden/cases.ts";
import { treeOf } from "./catalogue.ts";
import { tempDir } from "./temp.ts";

/** A golden case's directory on disk, below a temporary one. @returns its absolute path */
export async function emit(name: string): Promise<string> {
  const dir = tempDir();
  for (const [path, file] of await treeOf(CASES[name] ?? {}))
    fs.outputFileSync(join(dir, path), file.content, { mode: file.mode });
  return dir;
}
