import { literalValue, quoteEnv, type Section } from "../render/env.ts";
import { parseDotenv } from "../spec/dotenv.ts";

/**
 * `.env` after a change of the spec. Secrets and whatever the user added stay as they are, byte by byte;
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
  const current = parseDotenv(text);
  const old = new Map(
    before.flatMap((section) => section.variables).map((variable) => [variable.name, literalValue(variable, secrets)]),
  );
  const edits: { start: number; end: number; value: string }[] = [];
  const added: string[] = [];
  for (const variable of after.flatMap((section) => section.variables)) {
    if (variable.class === "default") continue;
    const value = literalValue(variable, secrets);
    const present = current.get(variable.name);
    if (present === undefined) added.push(`${variable.name}=${quoteEnv(value)}`);
    else if (variable.class === "managed" && present.value === old.get(variable.name) && present.value !== value) {
      edits.push({ start: present.start, end: present.end, value: quoteEnv(value) });
    }
  }
  let body = text;
  // From the end, so that the places before an edit stay where they are.
  for (const { start, end, value } of edits.toSorted((a, b) => b.start - a.start)) {
    body = `${body.slice(0, start)}${value}${body.slice(end)}`;
  }
  if (added.length === 0) return body;
  const eol = body.includes("\r\n") ? "\r\n" : "\n";
  const gap = body === "" || body.endsWith("\n") ? "" : eol;
  return `${body}${gap}${added.join(eol)}${eol}`;
}
