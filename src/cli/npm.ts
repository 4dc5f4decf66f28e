import { usageError } from "../lib/errors.ts";
import type { FlagTable } from "./flags.ts";

// `yes` may stand in a user's npmrc, so it alone proves nothing; `version` and `help` npm answers itself.
const NPM_OWN = new Set(["yes", "version", "help"]);

/**
 * Flags that npm took for itself: `npm run new-framework --name x` leaves `npm_config_name`
 * in the environment and passes on only `x`.
 * @returns the names of our flags that npm has and our arguments have not
 */
export function swallowedFlags(env: NodeJS.ProcessEnv, args: readonly string[], table: FlagTable): string[] {
  if (env["npm_lifecycle_event"] === undefined) return [];
  return Object.keys(table).filter((name) => {
    const value = env[`npm_config_${name.replaceAll("-", "_")}`];
    if (value === undefined || value === "" || value === "false") return false;
    // npm's own settings of that name, which it exports whatever was typed.
    if (NPM_OWN.has(name)) return false;
    return !args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  });
}

/** @throws UserError exit 2 when npm kept flags that were meant for us */
export function requireOwnFlags(
  command: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  table: FlagTable,
): void {
  const swallowed = swallowedFlags(env, args, table);
  if (swallowed.length === 0) return;
  throw usageError(
    `npm kept ${swallowed.map((name) => `--${name}`).join(", ")} for itself and did not pass it on`,
    `write -- before the flags: npm run ${command} -- ${swallowed.map((name) => `--${name} ...`).join(" ")}`,
    [],
    "npm-swallowed",
  );
}
