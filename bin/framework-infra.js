#!/usr/bin/env node
// The launcher: runs the bundle in dist/, which `npm ci` builds. Plain JavaScript, because Node 20 reads no TypeScript.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "..");
const bundle = join(packageRoot, "dist", "main.js");
if (existsSync(bundle)) {
  const { start } = await import(pathToFileURL(bundle).href);
  await start(process.argv.slice(2), packageRoot);
} else {
  process.stderr.write("error: the program is not built\nhint: run npm ci (it builds), or npm run build\n");
  process.exitCode = 1;
}
