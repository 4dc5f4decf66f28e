import { dotenvValues } from "./dotenv.ts";
import { updateEnv } from "./update.ts";
import { literalValue, type Section } from "./variables.ts";

/**
 * An `.env` that `remove-framework` left, for a new framework of that name: its secrets stay, because its volumes know
 * them. What was rendered then is not known any more: a value that differs from what is rendered now in its port alone
 * follows the new spec, any other is the user's own and stays.
 * @param secrets of the new framework: those that the text has, and new ones
 */
export function takenUpEnv(text: string, sections: readonly Section[], secrets: ReadonlyMap<string, string>): string {
  const own = new Set(ownInLeftEnv(text, sections, secrets));
  const rendered = new Map(
    [...dotenvValues(text)].flatMap(([name, value]) => (own.has(name) ? [] : [[name, new Set([value])] as const])),
  );
  return updateEnv({ text, rendered, after: sections, before: undefined, secrets, mayGo: () => false });
}

/** Managed variables to which a left `.env` gives a value of the user's own. */
export function ownInLeftEnv(
  text: string,
  sections: readonly Section[],
  secrets: ReadonlyMap<string, string>,
): string[] {
  const values = dotenvValues(text);
  return sections.flatMap(({ variables }) =>
    variables.flatMap((variable) => {
      const value = values.get(variable.name);
      if (variable.class !== "managed" || value === undefined || value === "") return [];
      return withoutPort(value) === withoutPort(literalValue(variable, secrets)) ? [] : [variable.name];
    }),
  );
}

/** A port, or a URL with the port left out. */
function withoutPort(value: string): string {
  return value.replace(/^\d{1,5}$|(?<=:)\d{1,5}(?=\/|$)/, "PORT");
}
