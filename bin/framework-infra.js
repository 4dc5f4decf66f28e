#!/usr/bin/env node
// The launcher: runs the bundle in dist/, which `npm ci` builds.
const { existsSync } = require("node:fs");
const { enableCompileCache } = require("node:module");
const { join } = require("node:path");

const packageRoot = join(__dirname, "..");
const bundle = join(packageRoot, "dist", "main.js");
if (existsSync(bundle)) {
  // From Node 22.8 on: what V8 has compiled is kept beside the bundle, as long as that can be written.
  enableCompileCache?.(join(packageRoot, "dist", "cache"));
  // What stays if the process ends before the command does.
  process.exitCode = 1;
  require(bundle).start(process.argv.slice(2), packageRoot);
} else {
  process.stderr.write("error: the program is not built\nhint: run npm ci (it builds), or npm run build\n");
  process.exitCode = 1;
}
