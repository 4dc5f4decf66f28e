import { isPlaceholder, weakness } from "./known-secrets.ts";
import type { EnvRule } from "./rule.ts";

/** Rules about what is in `.env`. A value is never in a message. */
export const ENV_RULES: readonly EnvRule[] = [
  {
    id: "env-complete",
    severity: "error",
    title: ".env has every variable that the stack needs",
    why: "Compose refuses to start without it, or starts the service with nothing.",
    fix: "npm run regenerate puts back what is missing",
    check: ({ variables, values }) =>
      variables
        .filter(({ name, class: kind, value }) => {
          const found = values.get(name);
          if (kind === "secret") return found === undefined || found === "";
          return kind === "managed" && (found === undefined || (found === "" && value !== ""));
        })
        .map(({ name }) => ({ variable: name, message: values.has(name) ? "is empty" : "is missing" })),
  },
  {
    id: "env-strong-secrets",
    severity: "error",
    title: "Secrets are not to be guessed",
    why: "Every container of the stack's networks can try passwords, and a published example is the first that anybody tries.",
    fix: 'make a new one (openssl rand -hex 32) and change it where it is known; "Secrets" in the directory\'s README says how',
    owasp: ["12"],
    check: ({ variables, values, names }) =>
      variables.flatMap(({ name, secret, prefix }) => {
        const value = values.get(name) ?? "";
        if (!secret || value === "") return [];
        const weak = weakness(value.startsWith(prefix) ? value.slice(prefix.length) : value, names);
        return weak === undefined ? [] : [{ variable: name, message: `is weak: ${weak}` }];
      }),
  },
  {
    id: "env-no-placeholder",
    severity: "warning",
    title: "Nothing in .env waits to be replaced",
    why: "A program takes it for a real key, and fails at its first call with a message about something else.",
    fix: "write the real value, or leave it empty",
    check: ({ variables, values }) =>
      variables
        .filter(({ name, secret }) => !secret && isPlaceholder(values.get(name) ?? ""))
        .map(({ name }) => ({ variable: name, message: "is a placeholder" })),
  },
  {
    id: "env-form",
    severity: "error",
    title: "A value in .env has the form that its service takes",
    why: "The service refuses to start, or starts and cannot read what it has stored.",
    fix: "write a value of the form that .env.template describes",
    check: ({ variables, values }) =>
      variables.flatMap(({ name, form }) => {
        const value = values.get(name) ?? "";
        return value === "" || form === undefined || new RegExp(`^(?:${form})$`).test(value)
          ? []
          : [{ variable: name, message: `does not have the form ${form}` }];
      }),
  },
  {
    id: "env-own-secrets",
    severity: "warning",
    title: "No two secrets of a stack are the same",
    why: "Whoever learns one has the other: the application's role could then log in as the superuser.",
    fix: "make a new one for one of them (openssl rand -hex 32)",
    check: ({ variables, values }) => {
      const first = new Map<string, string>();
      return variables.flatMap(({ name, secret, sameAs }) => {
        const value = values.get(name) ?? "";
        if (!secret || value === "" || sameAs !== undefined) return [];
        const other = first.get(value);
        if (other === undefined) first.set(value, name);
        return other === undefined ? [] : [{ variable: name, message: `is the same as ${other}` }];
      });
    },
  },
];
