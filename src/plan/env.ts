import { literalValue, quoteEnv, type Section } from "../render/env.ts";
import { parseDotenv } from "../spec/dotenv.ts";

/**
 * `.env` after a change of the spec. Secrets and whatever the user added stay as they are;
 * a managed variable follows the spec only while it still has the value that was rendered
 * from the spec before. What is new is added at the end.
 * @param text the file as it is
 * @param before variables under the old spec
 * @param after variables under the new spec
 * @param secrets values that already exist, and new ones for names that had none
 */
export function updateEnv(
  text: string,
  before: readonly Section[],
  after: readonly Section[],
  secrets: ReadonlyMap<string, string>,
): string {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const current = parseDotenv(text);
  const old = new Map(
    before.flatMap((section) => section.variables).map((variable) => [variable.name, literalValue(variable, secrets)]),
  );
  const lines = text.split(/\r?\n/);
  const added: string[] = [];
  for (const variable of after.flatMap((section) => section.variables)) {
    if (variable.class === "default") continue;
    const value = literalValue(variable, secrets);
    const present = current.get(variable.name);
    if (present === undefined) {
      added.push(`${variable.name}=${quoteEnv(value)}`);
    } else if (variable.class === "managed" && present.value === old.get(variable.name) && present.value !== value) {
      const line = lines[present.line] ?? "";
      const start = line.slice(0, line.search(/[=:]/) + 1);
      lines[present.line] = `${start}${quoteEnv(value)}`;
    }
  }
  const body = lines.join(eol);
  if (added.length === 0) return body;
  const gap = body === "" || body.endsWith(eol) ? "" : eol;
  return `${body}${gap}${added.join(eol)}${eol}`;
}
