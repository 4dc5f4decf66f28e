import type { NodePlopAPI } from "plop";

import { registerForPlop } from "./src/plop.ts";

/**
 * The official Plop interface, `npx plop new-framework` and the like: registers the generators, nothing else.
 * The npm scripts run the same ones through the launcher, which loads Plop only when it must ask.
 */
export default function plopfile(plop: NodePlopAPI): void {
  registerForPlop(plop);
}
