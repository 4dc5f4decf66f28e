import { resolve } from "node:path";

import { externalServices } from "../catalogue/catalogue.ts";
import { readInput } from "../host/files.ts";
import { problemsError, usageError, type Problem } from "../lib/errors.ts";
import { check } from "../lib/schema.ts";
import { schemasFor, type Draft, type External, type Request } from "../spec/schema.ts";
import type { Context } from "./context.ts";
import { portFlags } from "./port-flags.ts";

/**
 * The draft that the answers file and the flags add up to; a flag wins over the file.
 * @throws UserError exit 2, with line and key for a file, the flag's name otherwise
 */
export async function readDraft(context: Context): Promise<Request> {
  const { flags, place } = context;
  const { draft: schema } = schemasFor(place.catalogue);
  const answers = await readAnswers(context);
  const { external: answered = {}, ...rest } = answers;
  const file: Record<string, unknown> = { ...rest, ...answered };
  const set = (key: string, value: unknown): void => {
    if (value !== undefined) file[key] = value;
  };
  set("name", nameOf(context));
  for (const key of ["preset", "description", "images", "profile"]) set(key, flags.text(key));
  const ids = externalServices(place.catalogue).map(({ id }) => id);
  for (const id of ids) set(id, externalOf(answered[id], flags.text(id), flags.text(`${id}-host`)));
  set("services", servicesOf(flags.text("services"), answers));

  const checked = check(schema, file);
  if (checked.success) return { draft: checked.data, ports: portFlags(flags.list("port")) };
  const problems: Problem[] = checked.error.issues.map(({ path, message }) => ({ key: flagOf(path, ids), message }));
  throw problemsError("the flags cannot be used", problems, "see --help");
}

function nameOf({ flags }: Context): string | undefined {
  const [positional, more] = flags.positionals;
  if (more !== undefined)
    throw usageError(`unexpected argument "${more}"`, "only a name is expected here; flags start with --");
  const flag = flags.text("name");
  if (positional !== undefined && flag !== undefined && positional !== flag)
    throw usageError(`two names are given: "${positional}" and --name "${flag}"`, "give one of them");
  return flag ?? positional;
}

/** A URL alone means that the service is used from there. */
function externalOf(
  answered: Partial<External> | undefined,
  mode: string | undefined,
  host: string | undefined,
): Record<string, unknown> | undefined {
  if (mode === undefined && host === undefined) return undefined;
  return {
    ...(mode === "dedicated" ? {} : answered),
    mode: mode ?? "external",
    ...(host === undefined ? {} : { host }),
  };
}

async function readAnswers(context: Context): Promise<Draft> {
  const file = context.flags.text("answers");
  if (file === undefined) return {};
  const { parseYaml } = await import("../lib/yaml.ts");
  const { draft: schema } = schemasFor(context.place.catalogue);
  if (file === "-") {
    const chunks: Buffer[] = [];
    for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
    return parseYaml(Buffer.concat(chunks).toString("utf8"), "standard input", schema);
  }
  return parseYaml(readInput(resolve(context.cwd, file), file), file, schema);
}

function servicesOf(flag: string | undefined, answers: Draft): unknown {
  if (flag === undefined) return undefined;
  const ids = flag
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
  const before = answers.services;
  // Ports from the answers file stay for the services that the flag keeps.
  if (before === undefined || Array.isArray(before)) return Object.fromEntries(ids.map((id) => [id, {}]));
  return Object.fromEntries(ids.map((id) => [id, before[id]?.port === undefined ? {} : { port: before[id].port }]));
}

function flagOf(path: readonly PropertyKey[], externals: readonly string[]): string {
  const [first, second] = path.map(String);
  const host = first !== undefined && externals.includes(first) && second === "host";
  return `--${first ?? ""}${host ? "-host" : ""}`;
}
