import { unknownIn } from "../compose/keys.ts";
import { problemsIn } from "../compose/whole.ts";
import type { FrameworkRule, RuleInfo } from "./rule.ts";

/** The rule that a directory breaks which cannot be read as a framework. */
export const SPEC_RULE: RuleInfo = {
  id: "spec-valid",
  severity: "error",
  title: "framework.yaml is valid",
  why: "Nothing can be generated or judged without it.",
  fix: "correct the file, or restore it from git",
};

/** Rules about a directory as a whole. */
export const FRAMEWORK_RULES: readonly FrameworkRule[] = [
  {
    id: "compose-readable",
    severity: "error",
    title: "All of the stack's Compose files can be read",
    why: "What cannot be read cannot be judged: a service from elsewhere may publish a port, or run as root.",
    fix: "correct the file; for a service from elsewhere, look at docker compose config, then give --allow-unknown",
    check: ({ stack }) =>
      stack.unknown.map(({ message, path, file, line }) => ({
        message,
        path,
        ...(file === undefined ? { outcome: "unknown" as const } : { file }),
        ...(line === undefined ? {} : { line }),
        ...(path[0] === "services" && path[1] !== undefined ? { service: path[1] } : {}),
      })),
  },
  {
    id: "compose-whole",
    severity: "error",
    title: "The Compose files contain nothing that Compose rejects, as far as is known",
    why: "A service, network or volume that nobody defines, a key that does not exist, or two settings that exclude each other: the stack does not start.",
    fix: "correct the file that is named; docker compose config --quiet says whether Compose accepts it",
    check: ({ stack }) =>
      [
        ...(stack.compose.services.size === 0 && stack.unknown.length === 0
          ? [{ message: "there is no service", service: undefined }]
          : []),
        ...problemsIn(stack.compose),
        ...unknownIn(stack.compose),
      ].map(({ message, service }) => ({
        message,
        path: service === undefined ? [] : ["services", service],
        ...(service === undefined ? {} : { service }),
      })),
  },
  {
    id: "env-present",
    severity: "error",
    title: "There is an .env",
    why: "Without it, the stack cannot start; and nothing can be said of its secrets.",
    fix: "npm run regenerate makes one; restore the old one where its volumes are still there",
    check: ({ env }) =>
      env === undefined
        ? [
            {
              message: "there is no .env that can be read, so its values are not judged",
              file: ".env",
              outcome: "unknown",
            },
          ]
        : [],
  },
  {
    id: "env-readable",
    severity: "error",
    title: "Compose can read .env",
    why: "A quote that is not closed, or a conflict marker of git: no command of the stack works.",
    fix: "correct the line; docker compose config --quiet says whether Compose can read the file",
    check: ({ env }) => (env?.problems ?? []).map(({ line, message }) => ({ message, file: ".env", line })),
  },
  {
    id: "env-private",
    severity: "error",
    title: "Nobody else may read .env",
    why: "It holds every secret of the stack.",
    fix: "chmod 600 on the file",
    check: ({ env }) =>
      env === undefined || (env.mode & 0o077) === 0
        ? []
        : [{ message: `its mode is ${(env.mode & 0o777).toString(8).padStart(4, "0")}`, file: ".env" }],
  },
  {
    id: "env-not-in-git",
    severity: "error",
    title: ".env is not in git",
    why: "Every clone has its secrets, forever: deleting the file does not take it out of the history.",
    fix: "where git tracks it: run git rm --cached on it, then change every secret in it",
    owasp: ["12"],
    check: ({ env }) => {
      if (env === undefined || env.isTracked === false) return [];
      return env.isTracked === true
        ? [{ message: "git tracks it", file: ".env" }]
        : [{ message: "git could not be asked whether it tracks it", file: ".env", outcome: "unknown" }];
    },
  },
  {
    id: "own-ports",
    severity: "error",
    title: "No two stacks publish the same port",
    why: "Whichever starts second does not start.",
    fix: "npm run ports -- --fix gives one of them another port",
    check: ({ clashes }) => clashes.map((message) => ({ message, file: "framework.yaml" })),
  },
  {
    id: "own-name",
    severity: "error",
    title: "No two stacks have the same name",
    why: "They share containers and volumes: starting one replaces the other, and both write one database.",
    fix: "give one of them another name, in its framework.yaml and its .env; a copied directory needs new secrets as well",
    check: ({ twins }) =>
      twins.length === 0
        ? []
        : [{ message: `its FRAMEWORK_NAME is also that of ${twins.join(" and ")}`, file: "framework.yaml" }],
  },
  {
    id: "conflicts-settled",
    severity: "warning",
    title: "No conflict is open",
    why: "A part of the last update is not in the file, which may be a fix.",
    fix: "edit the file, delete its .incoming, then npm run regenerate; or give --ours or --theirs",
    check: ({ conflicts }) => conflicts.map((file) => ({ message: "an update of it waits for a decision", file })),
  },
];
