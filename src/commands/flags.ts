import { parseArgs, type ParseArgsConfig } from "node:util";

import { usageError } from "../errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Flags that every command has. */
export const COMMON_FLAGS = {
  root: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
  templates: { type: "string" },
} as const satisfies Options;

/** Flags of commands that write. */
export const WRITING_FLAGS = {
  yes: { type: "boolean", short: "y" },
  "dry-run": { type: "boolean" },
  diff: { type: "boolean" },
} as const satisfies Options;

export const NEW_FRAMEWORK_FLAGS = {
  name: { type: "string" },
  preset: { type: "string" },
  description: { type: "string" },
  services: { type: "string" },
  port: { type: "string", multiple: true },
  images: { type: "string" },
  profile: { type: "string" },
  langfuse: { type: "string" },
  "langfuse-host": { type: "string" },
  answers: { type: "string" },
} as const satisfies Options;

export const PORTS_FLAGS = {
  check: { type: "boolean" },
  fix: { type: "boolean" },
} as const satisfies Options;

export const STATUS_FLAGS = {
  check: { type: "boolean" },
} as const satisfies Options;

export const ADD_SERVICE_FLAGS = {
  port: { type: "string", multiple: true },
} as const satisfies Options;

export const REMOVE_FRAMEWORK_FLAGS = {
  "purge-secrets": { type: "boolean" },
} as const satisfies Options;

export const REGENERATE_FLAGS = {
  check: { type: "boolean" },
  ours: { type: "string", multiple: true },
  theirs: { type: "string", multiple: true },
} as const satisfies Options;

// Flags whose value may be left out: `--ours` alone means every file.
const OPTIONAL_VALUE = new Set(["--ours", "--theirs"]);

export interface ParsedFlags {
  values: Record<string, string | boolean | (string | boolean)[] | undefined>;
  positionals: string[];
}

/**
 * Parses a command's arguments.
 * @throws UserError exit 2, with the nearest flag when one was mistyped
 */
export function parseFlags(args: readonly string[], options: Options): ParsedFlags {
  try {
    const end = args.indexOf("--");
    const given = args.map((arg, index) =>
      OPTIONAL_VALUE.has(arg) && arg.slice(2) in options && (end === -1 || index < end) ? `${arg}=` : arg,
    );
    const parsed = parseArgs({ args: given, options, allowPositionals: true, strict: true });
    return { values: parsed.values, positionals: parsed.positionals };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
    if (unknown !== undefined) {
      const near = nearest(unknown.replace(/^-+/, ""), Object.keys(options));
      throw usageError(`unknown flag ${unknown}`, near === undefined ? "see --help" : `did you mean --${near}?`);
    }
    const missing = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument/.exec(message)?.[1];
    if (missing !== undefined) throw usageError(`${missing} needs a value`, "see --help");
    throw usageError(message.split(". ", 1)[0] ?? message, "see --help");
  }
}

/**
 * Flags that npm took for itself: `npm run new-framework --name x` leaves `npm_config_name`
 * in the environment and passes on only `x`.
 * @returns the names of our flags that npm has and our arguments have not
 */
export function swallowedFlags(env: NodeJS.ProcessEnv, args: readonly string[], options: Options): string[] {
  if (env["npm_lifecycle_event"] === undefined) return [];
  return Object.keys(options).filter((name) => {
    const value = env[`npm_config_${name.replaceAll("-", "_")}`];
    if (value === undefined || value === "" || value === "false") return false;
    // npm's own settings of that name, which it exports whatever was typed.
    if (NPM_OWN.has(name)) return false;
    return !args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  });
}

/** Whether npm may have kept `--yes`: it has a setting of that name, which may also stand in a user's npmrc. */
export function maySwallowYes(env: NodeJS.ProcessEnv): boolean {
  return env["npm_lifecycle_event"] !== undefined && env["npm_config_yes"] === "true";
}

// `yes` may stand in a user's npmrc, so it alone proves nothing; `version` and `help` npm answers itself.
const NPM_OWN = new Set(["yes", "version", "help"]);

/** The candidate with the smallest edit distance, when it is near enough to be meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance <= Math.max(2, Math.floor(candidate.length / 3)) && (best === undefined || distance < best.distance))
      best = { candidate, distance };
  }
  return best?.candidate;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      current.push(
        Math.min(
          (previous[j] ?? 0) + 1,
          (current[j - 1] ?? 0) + 1,
          (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
