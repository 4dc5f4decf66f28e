// Files that are whole or absent, and a start-up check that says at once when
// a volume belongs to somebody else.
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fatal } from "./log.mjs";

let counter = 0;

export function writeAtomically(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.${++counter}.partial`;
  const file = openSync(partial, "w", 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
}

export function mustBeWritable(directory) {
  const probe = join(directory, `.write-probe-${process.pid}`);
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (error) {
    fatal("data directory is not writable", { directory, uid: process.getuid(), error: error.message });
  }
}
