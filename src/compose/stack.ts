import { interpolate } from "../env/interpolate.ts";
import { mapping, withTexts } from "../lib/mapping.ts";
import { YamlPlaces } from "../lib/yaml.ts";
import { combineLayers, composeLayer, type ComposeLayer } from "./combine.ts";
import { composeModel, type Compose } from "./model.ts";

/** A Compose file of a stack. */
export interface ComposeText {
  /** As it is shown to people. */
  file: string;
  text: string;
}

/** What the Compose files of a framework come to, with their variables filled in. */
export interface Stack {
  /** Absolute path of the directory that relative paths start from. */
  dir: string;
  files: readonly ComposeText[];
  compose: Compose;
  /** The same before its variables were filled in. */
  written: Compose;
  unknown: readonly Unjudged[];
}

/** What cannot be judged, as a sentence, and where it stands. */
interface Unjudged {
  message: string;
  path: readonly string[];
  file?: string;
  line?: number;
}

/**
 * The files of a stack as Compose combines them.
 * @param files in Compose's order
 * @param lookup the value of a variable
 * @param dir absolute path of the directory that they are in
 */
export function stackOf(
  files: readonly ComposeText[],
  lookup: (name: string) => string | undefined,
  dir: string,
): Stack {
  const unknown: Unjudged[] = [];
  const layers: ComposeLayer[] = [];
  for (const { file, text } of files) {
    const layer = composeLayer(text);
    if (layer === undefined) unknown.push({ ...whyUnreadable(text), path: [], file });
    else layers.push({ ...layer, value: { ...layer.value, services: extendedServices(layer, unknown) } });
  }
  const whole = combineLayers(layers);
  if (whole["include"] !== undefined)
    unknown.push({ message: "the services that it includes are not judged", path: ["include"] });
  for (const [name, service] of Object.entries(mapping(whole["services"]))) {
    const names = unsetIn(service, lookup);
    if (names.length > 0) {
      const message = `uses ${names.join(", ")}, which .env does not set: Compose takes the shell's value, or none`;
      unknown.push({ message, path: ["services", name] });
    }
  }
  return {
    dir,
    files,
    compose: modelOf(mapping(filledIn(whole, lookup, MAX_GROWTH))),
    written: modelOf(whole),
    unknown,
  };
}

function modelOf(value: Record<string, unknown>): Compose {
  const model = composeModel(value);
  if (model === undefined) throw new Error("a mapping is a Compose file");
  return model;
}

// As of `.env`: a file whose values double and double must not fill the memory.
const MAX_GROWTH = 256 * 1024;

/** Variables that a service uses without a default, and that are not set. */
function unsetIn(service: unknown, lookup: (name: string) => string | undefined): string[] {
  const text = JSON.stringify(service) ?? "";
  const names = [...text.matchAll(/\$\$|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g)].map(
    ([, braced, bare]) => braced ?? bare ?? "",
  );
  return [...new Set(names)].filter((name) => name !== "" && lookup(name) === undefined);
}

/** Interpolates every value, and no key, as Compose does; all of them together grow by so much at most. */
function filledIn(value: unknown, lookup: (name: string) => string | undefined, growth: number): unknown {
  let left = growth;
  return withTexts(value, (written) => {
    if (!written.includes("$")) return written;
    const text = interpolate(written, lookup, left);
    left -= Math.max(text.length - written.length, 0);
    return text;
  });
}

/**
 * `extends` of a service in the same file, which Compose resolves before it combines files; of one elsewhere, what it
 * brings is not known.
 */
function extendedServices(
  layer: ComposeLayer,
  unknown: { message: string; path: readonly string[] }[],
): Record<string, unknown> {
  const services = mapping(layer.value["services"]);
  const done = new Map<string, unknown>();
  const resolve = (name: string, on: ReadonlySet<string>): unknown => {
    if (done.has(name)) return done.get(name);
    const own = services[name];
    const { extends: parent } = mapping(own);
    if (parent === undefined) return own;
    const { service: named, file } = mapping(parent);
    const from = typeof parent === "string" ? parent : typeof named === "string" ? named : undefined;
    if (
      file !== undefined ||
      from === undefined ||
      on.has(from) ||
      on.size > MAX_CHAIN ||
      !Object.hasOwn(services, from)
    ) {
      unknown.push({
        message: "what it extends is in another file, missing, or itself, and is not judged",
        path: ["services", name, "extends"],
      });
      return own;
    }
    const base = { value: { services: { [name]: resolve(from, new Set([...on, name])) } }, ...NO_TAGS };
    const { extends: _, ...rest } = mapping(own);
    const combined = combineLayers([base, { ...layer, value: { services: { [name]: rest } } }]);
    const result = mapping(combined["services"])[name];
    done.set(name, result);
    return result;
  };
  return Object.fromEntries(Object.keys(services).map((name) => [name, resolve(name, new Set([name]))]));
}

// Longer than anybody's; each service on the way is on the stack.
const MAX_CHAIN = 50;
const NO_TAGS = { reset: new Set<string>(), override: new Set<string>() };

function whyUnreadable(text: string): { message: string; line?: number } {
  const problem = YamlPlaces.of(text).problem;
  return problem === undefined
    ? {
        message:
          "is not a Compose file that can be read: it or its services are not a mapping, an alias (*name) has no anchor, or there are too many",
      }
    : { message: `is not a Compose file that can be read: ${problem.message}`, line: problem.line };
}
