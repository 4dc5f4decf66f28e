import { isMapping, mapping } from "../lib/mapping.ts";
import type { Stack } from "../compose/stack.ts";
import { isSecretWritten } from "./known-secrets.ts";
import type { ServiceRule } from "./rule.ts";

/** The rule about secrets in the file itself, in the places where a service takes values. */
export const WRITTEN_SECRETS: ServiceRule = {
  id: "no-secret-in-file",
  severity: "error",
  title: "No secret stands in a Compose file",
  why: "The file is in git, and so in every clone and every backup of it, for ever.",
  fix: "write ${NAME} here and the value into .env; and change the secret, which is known by now",
  cis: ["4.10"],
  owasp: ["12"],
  kics: ["Passwords And Secrets"],
  check: ({ name }, stack) => {
    const found = secretsWritten(name, stack);
    const [first] = found;
    return first === undefined
      ? undefined
      : { message: `has the value of ${found.join(", ")} in it`, path: ["environment", first] };
  },
};

/** Names of what has its value in the file itself. */
function secretsWritten(service: string, { written }: Stack): string[] {
  const { settings = {}, configs = [] } = written.services.get(service) ?? {};
  const named = ["environment", "labels", "annotations"]
    .flatMap((key) => namedValues(settings[key]))
    .concat(namedValues(mapping(settings["build"])["args"]))
    .filter(([name, value]) => isSecretWritten(name, value))
    .map(([name]) => name);
  // Elsewhere, there is no name: a default, `--password VALUE`, and the password of a URL.
  const texts = ["command", "entrypoint", "healthcheck"].map((key) => words(settings[key]));
  const contents = configs.map((name) => words(written.configs.get(name)?.["content"]));
  return [...new Set([...named, ...[...texts, ...contents].flatMap(inText)])];
}

function inText(text: string): string[] {
  const defaults = [...text.matchAll(/\$\{([A-Za-z_]\w*):?[-+][^{}]*\}/g)]
    .filter(([whole, name = ""]) => isSecretWritten(name, whole))
    .map(([, name = ""]) => name);
  const options = [...text.matchAll(/--([a-z][\w-]*)(?:=|\s+)(\S+)/gi)]
    .filter(([, name = "", value = ""]) => !value.startsWith("-") && isSecretWritten(optionName(name), value))
    .map(([, name = ""]) => `--${name}`);
  const urls = text.split(/\s+/).some((word) => isSecretWritten("", word)) ? ["a URL"] : [];
  return [...defaults, ...options, ...urls];
}

/** `requirepass` and `master-password` as a variable would be called. */
function optionName(name: string): string {
  return name.replaceAll("-", "_").replace(/^require(?=pass)/i, "");
}

/** The words of a command, however it is written. */
function words(value: unknown): string {
  if (Array.isArray(value)) return value.map(words).join(" ");
  if (isMapping(value)) return Object.values(value).map(words).join(" ");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function namedValues(value: unknown): [string, string][] {
  if (Array.isArray(value)) {
    return value.map(String).flatMap((entry): [string, string][] => {
      const at = entry.indexOf("=");
      return at === -1 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]];
    });
  }
  return Object.entries(mapping(value)).map(([name, each]) => [name, words(each)]);
}
