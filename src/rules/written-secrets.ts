import { isMapping, mapping } from "../lib/mapping.ts";
import type { Stack } from "../compose/stack.ts";
import { keyed } from "../compose/syntax.ts";
import { isSecretWritten } from "./known-secrets.ts";
import type { ServiceRule } from "./rule.ts";

/** The rule about secrets in the file itself, in the places where a service takes values. */
export const WRITTEN_SECRETS: ServiceRule = {
  id: "no-secret-in-file",
  severity: "error",
  title: "No secret stands in a Compose file",
  why: "The file is in git, and so in every clone and every backup of it, forever.",
  fix: "write ${NAME} here and the value into .env; and change the secret, which is known by now",
  cis: ["4.10"],
  owasp: ["12"],
  kics: ["Passwords And Secrets"],
  check: ({ name }, stack) => {
    const found = secretsWritten(name, stack);
    const [first] = found;
    if (first === undefined) return undefined;
    const names = [...new Set(found.map((each) => each.name))].join(", ");
    return { message: `has the value of ${names} in it`, path: first.path };
  },
};

/** A value in the file itself: what it is the value of, and the key below the service that it stands at. */
interface Written {
  name: string;
  path: readonly string[];
}

function secretsWritten(service: string, { written }: Stack): Written[] {
  const { settings = {}, configs = [] } = written.services.get(service) ?? {};
  const named = [["environment"], ["labels"], ["annotations"], ["build", "args"]].flatMap((path): Written[] => {
    const value = path.reduce((at: unknown, key) => mapping(at)[key], settings);
    return Object.entries(keyed(value))
      .filter(([name, each]) => isSecretWritten(name, words(each)))
      .map(([name]) => ({ name, path: [...path, name] }));
  });
  // Elsewhere, there is no name: a default, `--password VALUE`, and the password of a URL.
  const texts = ["command", "entrypoint", "healthcheck"].map((key) => ({ key, text: words(settings[key]) }));
  const contents = configs.map((name) => ({ key: "configs", text: words(written.configs.get(name)?.["content"]) }));
  return [
    ...named,
    ...[...texts, ...contents].flatMap(({ key, text }) => inText(text).map((name) => ({ name, path: [key] }))),
  ];
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
