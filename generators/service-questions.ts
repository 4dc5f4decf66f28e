import { usageError } from "../src/lib/errors.ts";
import { noFramework } from "../src/root/find.ts";
import type { Root } from "../src/root/root.ts";
import { choice, type Ask } from "./question.ts";

/** Asks for one of the frameworks of a root. @throws UserError exit 2 when it has none */
export async function askFramework(ask: Ask, root: Root, message: string): Promise<string> {
  if (root.frameworks.length === 0) throw noFramework(root);
  const choices = root.frameworks.map(({ folder, spec }) =>
    choice(`${folder} (${Object.keys(spec.services).join(", ")})`, folder),
  );
  return String(await ask({ type: "list", message, choices }));
}

/** Asks for one of these services. @param none what to say when there are none */
export async function askService(
  ask: Ask,
  choices: readonly { id: string; text: string }[],
  none: string,
): Promise<string> {
  if (choices.length === 0)
    throw usageError(none, "npm run status shows what it has; framework.yaml lists its services");
  const answer = await ask({
    type: "list",
    message: "Which service?",
    choices: choices.map(({ id, text }) => choice(text, id)),
  });
  return String(answer);
}
