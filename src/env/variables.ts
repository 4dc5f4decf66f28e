import { externalServices, requireService, type Catalogue } from "../catalogue/catalogue.ts";
import type { Container, EnvEntry, Limits } from "../catalogue/manifest.ts";
import { once } from "../lib/once.ts";
import { underscored } from "../catalogue/names.ts";
import { imageFor, imageKey } from "../spec/images.ts";
import { isExternal, type Spec } from "../spec/schema.ts";

/** One variable of a framework, with the value it has under a given spec. */
export interface Variable {
  name: string;
  class: EnvEntry["class"] | "default";
  description: string;
  rotate: string | undefined;
  /** Whether restored data cannot be used without this very secret. */
  permanent: boolean;
  prefix: string;
  /**
   * Its value with references to secrets still written as `${NAME}`; for a secret, empty.
   * For a default, what compose.yaml falls back to.
   */
  value: string;
  /** The variable that it is another name of: its value in the manifest is `${NAME}` and nothing else. */
  sameAs: string | undefined;
  /** How it appears in `.env.template`: a secret empty, a default commented out. */
  line: string;
  secret: boolean;
  /** The form of its value, as a regular expression for the whole of it. */
  form: string | undefined;
}

export interface Section {
  title: string;
  variables: Variable[];
}

/** All variables of a framework in the order in which `.env.template` shows them. */
export function envSections(spec: Spec, catalogue: Catalogue): Section[] {
  const known = sectionsOf.get(spec);
  if (known?.catalogue === catalogue) return known.sections;
  const sections = makeSections(spec, catalogue);
  sectionsOf.set(spec, { catalogue, sections });
  return sections;
}

// A spec is a value that nobody changes, and several stages ask for its variables.
const sectionsOf = new WeakMap<Spec, { catalogue: Catalogue; sections: Section[] }>();

function makeSections(spec: Spec, catalogue: Catalogue): Section[] {
  const services = Object.keys(spec.services).map((id) => requireService(catalogue, id));
  const preset = catalogue.presets.get(spec.preset);
  const sections: { title: string; entries: readonly EnvEntry[]; containers: readonly Container[]; host?: string }[] = [
    { title: "This framework", entries: catalogue.commonEnv.filter((entry) => entry.class !== "user"), containers: [] },
    ...userSections(catalogue),
    ...(preset === undefined || preset.env.length === 0
      ? []
      : [{ title: preset.title, entries: preset.env, containers: [] }]),
    ...services.map((service) => ({
      title: service.title,
      entries: [...portEntries(spec, service.id, catalogue), ...service.env],
      containers: service.containers,
    })),
  ];
  for (const { id, title, external } of externalServices(catalogue)) {
    if (external === undefined || !isExternal(spec, id)) continue;
    sections.push({
      title: `${title}, used from outside this stack`,
      entries: external.env,
      containers: [],
      host: spec.external[id]?.host ?? "",
    });
  }
  const values = new Map<string, string>();
  return sections.map(({ title, entries, containers, host }) => ({
    title,
    variables: [
      ...entries.map((entry): Variable => {
        const value = entry.class === "secret" ? "" : resolve(entry.value ?? "", spec, values, host ?? "");
        values.set(entry.name, entry.class === "secret" ? `\${${entry.name}}` : value);
        return {
          name: entry.name,
          class: entry.class,
          description: entry.description,
          rotate: entry.rotate,
          permanent: entry.permanent === true,
          prefix: entry.prefix ?? "",
          value,
          sameAs: entry.class === "managed" ? /^\$\{([A-Z][A-Z0-9_]*)\}$/.exec(entry.value ?? "")?.[1] : undefined,
          line: `${entry.name}=${value}`,
          secret: entry.class === "secret",
          form: entry.form,
        };
      }),
      ...containers.flatMap((container) => defaults(container, spec)),
    ],
  }));
}

/** What people fill in, by its headings, in the order of the file. */
function userSections(catalogue: Catalogue): { title: string; entries: readonly EnvEntry[]; containers: [] }[] {
  const users = catalogue.commonEnv.filter((entry) => entry.class === "user");
  const titleOf = (entry: EnvEntry): string => entry.section ?? "API keys and models";
  return [...new Set(users.map(titleOf))].map((title) => ({
    title,
    entries: users.filter((entry) => titleOf(entry) === title),
    containers: [],
  }));
}

function portEntries(spec: Spec, id: string, catalogue: Catalogue): EnvEntry[] {
  const published = requireService(catalogue, id).port;
  const port = spec.services[id]?.port;
  if (published === undefined || port === undefined) return [];
  return [
    {
      name: published.variable,
      class: "managed",
      description: `Host port of ${id}; ${String(published.container)}/${published.protocol} inside the stack.`,
      value: String(port),
      form: "[1-9][0-9]{0,4}",
    },
  ];
}

// They are the same in every framework of one profile, and there are dozens of them.
const defaultsOf = new WeakMap<Container, Map<string, Variable[]>>();

function defaults(container: Container, spec: Spec): Variable[] {
  const known = once(defaultsOf, container, () => new Map<string, Variable[]>());
  return once(known, `${spec.profile} ${imageKey(container, spec)}`, () => makeDefaults(container, spec));
}

function makeDefaults(container: Container, spec: Spec): Variable[] {
  const make = (suffix: string, description: string, value: string): Variable => ({
    name: `${container.variable}_${suffix}`,
    class: "default",
    description,
    rotate: undefined,
    permanent: false,
    prefix: "",
    value,
    sameAs: undefined,
    line: `# ${container.variable}_${suffix}=${value}`,
    secret: false,
    form: undefined,
  });
  const limits = container.limits[spec.profile];
  return [
    ...(container.image === undefined
      ? []
      : [
          make(
            "IMAGE",
            `Image of ${container.name}: a mirror, a digest or an image of your own.`,
            imageFor(container, spec),
          ),
        ]),
    ...limitVariables(limits).map(({ suffix, what, value }) => make(suffix, `${what} of ${container.name}.`, value)),
    ...(container.nofile === undefined
      ? []
      : [
          make(
            NOFILE_SUFFIX,
            `Open files of ${container.name}; lower it where the engine may not give as many (rootless, or inside a container).`,
            String(container.nofile),
          ),
        ]),
  ];
}

/** The variable for a container's open files, `QDRANT_NOFILE_LIMIT`. */
export const NOFILE_SUFFIX = "NOFILE_LIMIT";

/** The ending of the variable for a container's CPU limit, `QDRANT_CPU_LIMIT`. */
export const CPU_SUFFIX = "CPU_LIMIT";

/** The suffixes of the limit variables, in the order in which they are shown. */
export function limitVariables(limits: Limits): { suffix: string; what: string; value: string }[] {
  return [
    { suffix: "MEMORY_LIMIT", what: "Memory limit", value: limits.memory },
    { suffix: CPU_SUFFIX, what: "CPU limit, in cores,", value: limits.cpus },
    { suffix: "PIDS_LIMIT", what: "Process limit", value: String(limits.pids) },
  ];
}

/** `{{name}}`-like spec values and `${VARIABLE}` references to what is above. */
function resolve(template: string, spec: Spec, values: ReadonlyMap<string, string>, host: string): string {
  // Most values are plain, and this is asked for every variable of every framework.
  if (!template.includes("{")) return template;
  const known: Record<string, string> = {
    name: spec.name,
    sqlName: underscored(spec.name),
    externalHost: host,
  };
  return template
    .replaceAll(/\{\{(\w+)\}\}/g, (whole, key: string) => known[key] ?? whole)
    .replaceAll(/\$\{([A-Z][A-Z0-9_]*)\}/g, (whole, name: string) => values.get(name) ?? whole);
}

/** Names and prefixes of the secrets that a framework needs. */
export function secretsOf(sections: readonly Section[]): Variable[] {
  return sections.flatMap((section) => section.variables.filter((variable) => variable.class === "secret"));
}

/** Names of the variables that follow the spec. */
export function managedNames(sections: readonly Section[]): Set<string> {
  return new Set(
    sections.flatMap(({ variables }) =>
      variables.filter((variable) => variable.class === "managed").map(({ name }) => name),
    ),
  );
}

/** The value that goes into `.env`: references to secrets replaced by the secrets. */
export function literalValue(variable: Variable, secrets: ReadonlyMap<string, string>): string {
  if (variable.class === "secret") return secrets.get(variable.name) ?? "";
  return withSecrets(variable.value, secrets);
}

/** A value with its references to secrets (`${NAME}`) replaced by the secrets. */
export function withSecrets(value: string, secrets: ReadonlyMap<string, string>): string {
  if (!value.includes("${")) return value;
  return value.replaceAll(/\$\{([A-Z][A-Z0-9_]*)\}/g, (whole, name: string) => secrets.get(name) ?? whole);
}

/**
 * A value as it must be written so that Compose and a dotenv reader see the same text.
 * Everything generated here needs no quotes; what a user once chose might.
 */
export function quoteEnv(value: string): string {
  if (/^[A-Za-z0-9_./:@%+,=-]*$/.test(value)) return value;
  // In single quotes, a backslash would take the quote behind it along.
  return /['\\]/.test(value) ? `"${value.replaceAll(/[\\"$]/g, String.raw`\$&`)}"` : `'${value}'`;
}
