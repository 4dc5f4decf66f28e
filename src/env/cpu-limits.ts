import { dotenvValues } from "./dotenv.ts";
import { CPU_SUFFIX, type Section } from "./variables.ts";

/** A CPU limit that is above the cores of this host, and what it is set to in `.env`. */
interface CappedLimit {
  name: string;
  /** In cores, as Compose reads it. */
  value: string;
}

/**
 * An `.env` in which no CPU limit of compose.yaml is above the cores of this host: the engine refuses to start a
 * container with such a limit. A limit that `.env` gives itself stays; it is the user's own.
 * @param cores of this host
 */
export function withCappedCpus(
  text: string,
  sections: readonly Section[],
  cores: number,
): { text: string; capped: readonly CappedLimit[] } {
  const capped: CappedLimit[] = [];
  let given: ReadonlyMap<string, string> | undefined;
  for (const { variables } of sections) {
    for (const { name, class: kind, value } of variables) {
      if (kind !== "default" || !name.endsWith(CPU_SUFFIX) || Number(value) <= cores) continue;
      given ??= dotenvValues(text);
      if (!given.has(name)) capped.push({ name, value: String(cores) });
    }
  }
  if (capped.length === 0) return { text, capped };
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const end = text === "" || text.endsWith("\n") ? "" : eol;
  const lines = [
    "",
    `# This host has ${cores === 1 ? "one core" : `${String(cores)} cores`}, and the engine refuses a higher limit. Delete the lines on a larger host.`,
    ...capped.map(({ name, value }) => `${name}=${value}`),
    "",
  ];
  return { text: `${text}${end}${lines.join(eol)}`, capped };
}

/** What to say of limits that were capped; nothing where none was. */
export function cappedNote(capped: readonly CappedLimit[], cores: number): string[] {
  if (capped.length === 0) return [];
  const names = capped.map(({ name }) => name).join(", ");
  return [
    `this host has ${cores === 1 ? "one core" : `${String(cores)} cores`}, so .env sets ${names} to ${String(cores)}: with the limits of the profile, the stack could not start`,
  ];
}
