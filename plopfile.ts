import type { NodePlopAPI } from "plop";

import { registerNewFramework } from "./generators/new-framework.ts";
import { inputFromPlop } from "./generators/plop-context.ts";

/**
 * The official Plop interface, `npx plop new-framework`: registers the generators, nothing else.
 * The npm scripts run the same ones through the launcher, which loads Plop only when it must ask.
 */
export default async function plopfile(plop: NodePlopAPI): Promise<void> {
  registerNewFramework(plop, await inputFromPlop());
}
