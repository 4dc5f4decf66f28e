import { dotenvValues } from "./dotenv.ts";
import { updateEnv } from "./update.ts";
import type { Section } from "./variables.ts";

/**
 * An `.env` that `remove-framework` left, for a new framework of that name: its secrets stay, because its volumes know
 * them; what was managed before follows the new spec.
 * @param secrets of the new framework: those that the text has, and new ones
 */
export function takenUpEnv(text: string, sections: readonly Section[], secrets: ReadonlyMap<string, string>): string {
  const rendered = new Map([...dotenvValues(text)].map(([key, value]) => [key, new Set([value])]));
  return updateEnv({ text, rendered, after: sections, before: undefined, secrets, mayGo: () => false });
}
