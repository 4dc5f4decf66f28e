import { everyAssignment } from "../env/dotenv.ts";
import { isSecretWritten, weakness } from "./known-secrets.ts";
import type { EnvFile, FrameworkRule } from "./rule.ts";

/** Rules about files of `env_file`, of any service. No value is ever in a message. */
export const ENV_FILE_RULES: readonly FrameworkRule[] = [
  {
    id: "env-files-there",
    severity: "error",
    title: "Every file of env_file is there",
    why: "Compose refuses to start any service of the stack without it.",
    fix: "create the file, or give it required: false",
    check: ({ envFiles }) =>
      envFiles.flatMap(({ service, path, required, problem }) => {
        if (problem === undefined || (problem === "missing" && !required)) return [];
        const at = { service, path: ["services", service, "env_file"] };
        return problem === "missing"
          ? [{ message: `takes variables from ${path}, which is not there`, ...at }]
          : [{ message: `takes variables from ${path}, which cannot be read`, ...at, outcome: "unknown" as const }];
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
          message: "gets every variable of .env, with the secrets of all other services",
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
      secretsIn(envFiles).flatMap(({ file, name, value, line }) => {
        const weak = weakness(value, values?.names ?? new Set());
        return weak === undefined ? [] : [{ message: `${name} is weak: ${weak}`, file, line, key: name }];
      }),
  },
  {
    id: "env-files-not-in-git",
    severity: "error",
    title: "A file of env_file with secrets is not in git",
    why: "Every clone has its secrets, forever: deleting the file does not take it out of the history.",
    fix: "run git rm --cached on the file, add it to .gitignore, then change every secret in it",
    owasp: ["12"],
    check: ({ envFiles }) => {
      const withSecrets = new Map(secretsIn(envFiles).map(({ file, isTracked }) => [file, isTracked]));
      return [...withSecrets].flatMap(([file, isTracked]) => {
        if (isTracked === false) return [];
        return isTracked === true
          ? [{ message: "git tracks it, and it holds secrets", file }]
          : [{ message: "git could not be asked whether it tracks it", file, outcome: "unknown" as const }];
      });
    },
  },
];

interface Secret extends Pick<EnvFile, "file" | "isTracked"> {
  name: string;
  value: string;
  line: number;
}

/** What looks like a secret by its name. `.env` has rules of its own; a variable of it is judged there. */
function secretsIn(envFiles: readonly EnvFile[]): Secret[] {
  const files = new Map(envFiles.filter(({ isOwnEnv }) => !isOwnEnv).map((each) => [each.file, each]));
  return [...files.values()].flatMap(({ file, isTracked, text }) =>
    text === undefined
      ? []
      : everyAssignment(text)
          // As it is written: one that comes from a variable is judged where that is.
          .filter(({ name, start, end }) => isSecretWritten(name, unquoted(text.slice(start, end))))
          .map(({ name, value, start }) => ({
            file,
            isTracked,
            name,
            value,
            line: text.slice(0, start).split("\n").length,
          })),
  );
}

function unquoted(written: string): string {
  return written.replace(/^(["'])(.*)\1$/s, "$2");
}
