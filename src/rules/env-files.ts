import { everyAssignment, lineCounter } from "../env/dotenv.ts";
import { secretOf, weakness } from "./known-secrets.ts";
import type { EnvFile, FrameworkRule } from "./rule.ts";

/** Rules about files of `env_file`, of any service. No value is ever in a message. */
export const ENV_FILE_RULES: readonly FrameworkRule[] = [
  {
    id: "env-files-there",
    severity: "error",
    title: "Every file of env_file is there",
    why: "Compose does not start the service without it; docker compose up then starts nothing at all.",
    fix: "create the file, or give it required: false",
    check: ({ envFiles, env }) =>
      envFiles.flatMap(({ service, path, required, problem, isOwnEnv }) => {
        const at = { service, path: ["services", service, "env_file"] };
        if (problem === "unreadable")
          return [
            { message: `takes variables from ${path}, which cannot be read`, ...at, outcome: "unknown" as const },
          ];
        // That there is no .env, another rule says.
        if (problem === undefined || !required || isOwnEnv) return [];
        const message = `takes variables from ${path}, which is not there`;
        // Git may ignore it, as it does .env: a clone has neither.
        return [env === undefined ? { message, ...at, outcome: "unknown" as const } : { message, ...at }];
      }),
  },
  {
    id: "own-secrets-only",
    severity: "warning",
    title: "A service gets only the secrets that it uses",
    why: "With env_file: .env, whoever breaks into the service has every password of the stack.",
    fix: "name the variables that it uses under environment, or give it a file of its own",
    check: ({ envFiles }) =>
      envFiles
        .filter(({ isOwnEnv }) => isOwnEnv)
        .map(({ service }) => ({
          message: "gets every variable of .env, including secrets that it does not use",
          service,
          path: ["services", service, "env_file"],
        })),
  },
  {
    id: "env-files-strong-secrets",
    severity: "error",
    title: "Secrets in files of env_file are not to be guessed",
    why: "Every container of the stack's networks can try passwords, and a published example is the first that anybody tries.",
    fix: "make a new one (openssl rand -hex 32), and change it where it is known",
    owasp: ["12"],
    check: ({ envFiles, values }) =>
      [...secretsIn(envFiles)].flatMap(([{ file }, secrets]) => {
        const names = values?.names ?? new Set();
        const weak = secrets.flatMap(({ name, value, line }) => {
          const why = weakness(value, names);
          return why === undefined ? [] : [{ message: `${name} is weak: ${why}`, file, line, key: name }];
        });
        const more = weak.length - MOST;
        return more > 0
          ? [...weak.slice(0, MOST), { message: `${String(more)} more secrets in it are weak`, file }]
          : weak;
      }),
  },
  {
    id: "env-files-not-in-git",
    severity: "error",
    title: "A file of env_file with secrets is not in git",
    why: "Every clone has its secrets, forever: deleting the file does not take it out of the history.",
    fix: "run git rm --cached on the file, add it to .gitignore, then change every secret in it",
    owasp: ["12"],
    check: ({ envFiles }) =>
      [...secretsIn(envFiles)].flatMap(([{ file, isTracked }, secrets]) => {
        if (isTracked === false || secrets.length === 0) return [];
        return isTracked === true
          ? [{ message: "git tracks it, and it holds secrets", file }]
          : [{ message: "git could not be asked whether it tracks it", file, outcome: "unknown" as const }];
      }),
  },
];

/** More findings about one file say nothing new. */
const MOST = 20;

interface Secret {
  name: string;
  value: string;
  line: number;
}

/** What looks like a secret, in each file once. `.env` has rules of its own. */
function secretsIn(envFiles: readonly EnvFile[]): Map<EnvFile, Secret[]> {
  const files = new Map(envFiles.filter(({ isOwnEnv }) => !isOwnEnv).map((each) => [each.file, each]));
  return new Map([...files.values()].map((each) => [each, secretsOf(each.text ?? "")]));
}

function secretsOf(text: string): Secret[] {
  const lineAt = lineCounter(text);
  return everyAssignment(text).flatMap(({ name, start, end }) => {
    const line = lineAt(start);
    // As it is written: one that comes from a variable is judged where that is.
    const value = secretOf(name, text.slice(start, end).replace(/^(["'])(.*)\1$/s, "$2"));
    return value === undefined ? [] : [{ name, value, line }];
  });
}
