import { usageError } from "../errors.ts";
import type { Place } from "../pipeline.ts";
import { readRoot, type Root } from "../probe/root.ts";
import { findFramework } from "./choose.ts";
import { isInteractive, type Context } from "./context.ts";
import { nearest } from "./flags.ts";

export interface ServiceChoice {
  service: string;
  framework: string;
}

/** What flags and the state of the root already say of a choice; the rest is to be asked. */
export interface PartialChoice {
  service?: string | undefined;
  framework?: string | undefined;
  root: Root;
}

type Verb = "add" | "remove";

/**
 * Service and framework from the arguments; the only framework of a root need not be named.
 * @throws UserError exit 2 when there is none, or one is not there
 */
export async function givenChoice(context: Context, place: Place): Promise<PartialChoice> {
  const [service, name, more] = context.flags.positionals;
  if (more !== undefined) throw usageError(`unexpected argument "${more}"`, "a service and a framework are expected");
  const root = await readRoot(place.root, place.shown, place.catalogue, { tolerant: true });
  const [only, second] = [...root.frameworks.map(({ folder }) => folder), ...root.broken.map(({ folder }) => folder)];
  if (only === undefined) {
    throw usageError(
      `there is no framework in ${place.shown}`,
      "make one: npm run new-framework",
      [],
      "unknown-framework",
    );
  }
  if (name !== undefined) return { root, service, framework: findFramework(root, name, place.shown).folder };
  return second === undefined
    ? { root, service, framework: findFramework(root, only, place.shown).folder }
    : { root, service };
}

/** The whole choice, or undefined when something must be asked. @throws UserError exit 2 where nothing can be asked */
export function completeChoice(given: PartialChoice, context: Context, verb: Verb): ServiceChoice | undefined {
  const { service, framework, root } = given;
  if (service !== undefined && framework !== undefined) return { service, framework };
  if (isInteractive(context) && context.flags.values["yes"] !== true) return undefined;
  const names = root.frameworks.map(({ folder }) => folder);
  const missing = [
    ...(service === undefined ? ["the service"] : []),
    ...(framework === undefined ? [`the framework (one of ${names.join(", ")})`] : []),
  ];
  throw usageError(
    `missing: ${missing.join(", and ")}`,
    `for example: npm run ${verb}-service ${service ?? "qdrant"} ${framework ?? names[0] ?? "crewai"}`,
    [],
    "missing-argument",
  );
}

/** @throws UserError exit 2 when the catalogue has no service of that name */
export function requireKnown(service: string, { catalogue }: Place): void {
  if (catalogue.services.has(service)) return;
  const ids = [...catalogue.services.keys()];
  const near = nearest(service, ids);
  throw usageError(
    `"${service.slice(0, 60)}" is not a service`,
    `${near === undefined ? "" : `did you mean ${near}? `}there are: ${ids.join(", ")}`,
    [],
    "unknown-service",
  );
}
