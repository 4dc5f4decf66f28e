import { execFileSync } from "node:child_process";

import { PROJECT } from "./project.ts";

/** Builds the program once before the tests that run it: they must never see an older bundle. */
export default function setup(): void {
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: PROJECT, stdio: "inherit" });
}
