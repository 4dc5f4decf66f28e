import type { Root } from "../src/probe/root.ts";
import { choice, type Ask } from "./question.ts";

/** Asks for one of the frameworks of a root. */
export async function askFramework(ask: Ask, root: Root, message: string): Promise<string> {
  const choices = root.frameworks.map(({ folder, spec }) =>
    choice(`${folder} (${Object.keys(spec.services).join(", ")})`, folder),
  );
  return String(await ask({ type: "list", message, choices }));
}
