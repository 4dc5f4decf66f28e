import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { isErrno, problemsError, usageError, type Problem } from "../errors.ts";
import { draftSchema, type Draft, type Request } from "../spec/schema.ts";
import { flagText, type Context } from "./context.ts";

/**
 * The draft that the answers file and the flags add up to; a flag wins over the file.
 * @throws UserError exit 2, with line and key for a file, the flag's name otherwise
 */
export async function draftFromFlags(context: Context): Promise<Request> {
  const answers = await readAnswers(context);
  const { positionals } = context.flags;
  if (positionals.length > 1)
    throw usageError(
      `unexpected argument "${positionals[1] ?? ""}"`,
      "only a name is expected here; flags start with --",
    );
  const [positional] = positionals;
  const flag = (name: string): string | undefined => flagText(context, name);
  const nameFlag = flag("name");
  if (positional !== undefined && nameFlag !== undefined && positional !== nameFlag) {
    throw usageError(`two names are given: "${positional}" and --name "${nameFlag}"`, "give one of them");
  }

  const draft: Record<string, unknown> = { ...answers };
  const set = (key: string, value: unknown): void => {
    if (value !== undefined) draft[key] = value;
  };
  set("name", nameFlag ?? positional);
  for (const key of ["preset", "description", "images", "profile"]) set(key, flag(key));
  const mode = flag("langfuse");
  const host = flag("langfuse-host");
  if (mode !== undefined || host !== undefined) {
    const before = answers.langfuse ?? {};
    set("langfuse", {
      ...(mode === "dedicated" ? {} : before),
      ...(mode === undefined ? { mode: "external" } : { mode }),
      ...(host === undefined ? {} : { host }),
    });
  }
  set("services", servicesOf(flag("services"), answers));

  const checked = draftSchema.safeParse(draft);
  if (checked.success) return { draft: checked.data, ports: portFlags(context.flags.values["port"]) };
  const problems: Problem[] = checked.error.issues.map((issue) => ({
    key: flagOf(issue.path),
    message: issue.message,
  }));
  throw problemsError("the flags cannot be used", problems, "see --help");
}

async function readAnswers(context: Context): Promise<Draft> {
  const file = flagText(context, "answers");
  if (file === undefined) return {};
  const { parseYaml } = await import("../spec/yaml.ts");
  if (file === "-") {
    const chunks: Buffer[] = [];
    for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
    return parseYaml(Buffer.concat(chunks).toString("utf8"), "standard input", draftSchema);
  }
  return parseYaml(readInput(resolve(context.cwd, file), file), file, draftSchema);
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

/** `--port service=n`, repeatable. */
export function portFlags(flags: unknown): Map<string, number> {
  const ports = new Map<string, number>();
  if (!Array.isArray(flags)) return ports;
  for (const flag of flags) {
    const match = /^([a-z][a-z0-9-]*)=(.*)$/.exec(String(flag));
    const [, service = "", text = ""] = match ?? [];
    if (match === null)
      throw usageError(
        `--port "${String(flag)}" is not SERVICE=PORT`,
        "for example: --port qdrant=6340",
        [],
        "invalid",
      );
    const port = parsePort(text);
    if (port === undefined)
      throw usageError(
        `--port ${service}: "${text}" is not a port: a whole number from 1 to 65535`,
        "for example: --port qdrant=6340",
        [],
        "invalid",
      );
    if (ports.has(service)) throw usageError(`--port gives ${service} two ports`, "give one", [], "invalid");
    ports.set(service, port);
  }
  return ports;
}

/** Digits only: `1e3`, ` 80`, `0x50` and `80.0` are no ports. */
export function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function flagOf(path: readonly PropertyKey[]): string {
  const [first, second] = path;
  if (first === "langfuse") return second === "host" ? "--langfuse-host" : "--langfuse";
  return `--${String(first)}`;
}

/** Reads the text of a file that the user named. @throws UserError exit 2 */
function readInput(path: string, shown: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reasons: Record<string, string> = {
      ENOENT: "there is no such file",
      EISDIR: "it is a directory",
      EACCES: "permission denied",
    };
    const code = isErrno(error, ...Object.keys(reasons)) ? (error.code ?? "") : "";
    throw usageError(
      `${shown} cannot be read: ${reasons[code] ?? (error instanceof Error ? error.message : "unknown reason")}`,
      "give --answers a YAML or JSON file, or - for standard input",
    );
  }
}
