import type { EnvEntry } from "../catalogue/manifest.ts";
import type { Problem } from "../lib/errors.ts";
import { parseDotenv, type Assignment } from "./dotenv.ts";

/**
 * Names in `.env` that cannot be: what a manifest reserves, and one value for two variables that must differ (a
 * database's roles, say: a script that makes the second would change the first).
 * @param text of `.env`
 * @param entries the variables of the services that the framework has
 * @returns problems with their lines
 */
export function nameProblems(text: string, entries: readonly EnvEntry[]): Problem[] {
  const named = entries.filter(({ unique, reserved }) => unique !== undefined || reserved !== undefined);
  if (named.length === 0) return [];
  const values = parseDotenv(text);
  const holders = new Map<string, string>();
  const problem = (key: string, { start }: Assignment, message: string): Problem => {
    return { key, line: text.slice(0, start).split("\n").length, message };
  };
  return named.flatMap(({ name, unique, reserved }): Problem[] => {
    const found = values.get(name);
    if (found === undefined) return [];
    const { value } = found;
    if (reserved !== undefined && new RegExp(`^(?:${reserved})$`, "i").test(value))
      return [problem(name, found, `"${value}" is reserved`)];
    if (unique === undefined) return [];
    const holder = holders.get(`${unique} ${value}`);
    holders.set(`${unique} ${value}`, holder ?? name);
    return holder === undefined ? [] : [problem(name, found, `must differ from ${holder}`)];
  });
}
