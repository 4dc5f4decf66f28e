import {
  defaultServices,
  externalServices,
  fallbackPreset,
  requireService,
  reservedNames,
  withDependencies,
  type Catalogue,
} from "../catalogue/catalogue.ts";
import { formatProblem, problemsError, usageError, type Problem } from "../lib/errors.ts";
import { check } from "../lib/schema.ts";
import { nameProblem, suggestName } from "../catalogue/names.ts";
import { schemasFor, type Draft, type Request, type Spec } from "./schema.ts";

const HELP = "correct that; npm run new-framework -- --help shows what each flag takes";

/** A spec whose ports are still to be given, and those the user gave. */
export interface Normalised {
  spec: Spec;
  /** Host ports that were typed (flag, answers file, prompt), by service id. */
  typed: ReadonlyMap<string, number>;
  notes: readonly string[];
}

/**
 * Fills every default of a draft and checks it against the catalogue.
 * @param request what flags, answers file or prompts added up to
 * @throws UserError (exit 2) with every problem at once
 */
export function normalise({ draft, ports }: Request, catalogue: Catalogue): Normalised {
  const problems: Problem[] = [];
  const notes: string[] = [];
  const name = draft.name ?? "";
  const badName = nameProblem(name, reservedNames(catalogue));
  if (badName !== undefined) {
    const suggestion = suggestName(name);
    throw usageError(
      badName,
      suggestion === undefined || suggestion === name ? "give another name" : `for example: ${suggestion}`,
      [{ key: "name", message: badName }],
      "invalid-name",
    );
  }

  const preset =
    draft.preset === undefined
      ? (catalogue.presets.get(name) ?? fallbackPreset(catalogue))
      : catalogue.presets.get(draft.preset);
  if (preset === undefined) {
    problems.push({
      key: "preset",
      message: `"${draft.preset ?? ""}" is not a preset; there are: ${[...catalogue.presets.keys()].join(", ")}`,
    });
  }

  const given = givenServices(draft);
  for (const id of given?.keys() ?? []) {
    if (!catalogue.services.has(id)) {
      problems.push({
        key: `services.${id}`,
        message: `"${id}" is not a service; there are: ${[...catalogue.services.keys()].join(", ")}`,
      });
    }
  }
  if (problems.length > 0) throw problemsError("the answers cannot be used", problems, HELP);

  const wanted = new Set(
    given === undefined
      ? defaultServices(catalogue)
      : [...given].filter(([, service]) => service.requested !== false).map(([id]) => id),
  );
  for (const { id } of externalServices(catalogue)) dropExternal(id, draft, wanted, given, notes);

  if (wanted.size === 0)
    throw problemsError(
      "the answers cannot be used",
      [{ key: "services", message: "at least one service is needed" }],
      `there are: ${[...catalogue.services.keys()].join(", ")}`,
    );
  const ids = withDependencies(catalogue, wanted);
  const typed = new Map<string, number>();
  const asked = [
    ...[...(given ?? [])].flatMap(([id, service]) => (service.port === undefined ? [] : [[id, service.port] as const])),
    ...ports,
  ];
  for (const [id, port] of asked) {
    if (!catalogue.services.has(id))
      problems.push({
        key: `services.${id}.port`,
        message: `"${id}" is not a service; there are: ${[...catalogue.services.keys()].join(", ")}`,
      });
    else if (!ids.includes(id))
      problems.push({
        key: `services.${id}.port`,
        message: `a port is given for "${id}", but the service is not chosen`,
      });
    else if (requireService(catalogue, id).port === undefined)
      problems.push({
        key: `services.${id}.port`,
        message: `"${id}" publishes no port: it is reachable inside the stack only`,
      });
    else typed.set(id, port);
  }
  if (problems.length > 0) throw problemsError("the answers cannot be used", problems, HELP);

  const spec = check(schemasFor(catalogue).spec, {
    schemaVersion: 1,
    name,
    preset: preset?.id,
    description: draft.description ?? preset?.summary,
    images: draft.images,
    ...(draft.registry === undefined ? {} : { registry: draft.registry }),
    ...(draft.digests === undefined ? {} : { digests: draft.digests }),
    profile: draft.profile,
    ...draft.external,
    services: Object.fromEntries(
      ids.map((id) => [id, { ...(typed.has(id) ? { port: typed.get(id) } : {}), requested: wanted.has(id) }]),
    ),
    logging: draft.logging,
    ...(draft.backup === undefined ? {} : { backup: draft.backup }),
    waivers: draft.waivers,
  });
  if (!spec.success) {
    throw problemsError(
      "the answers cannot be used",
      spec.error.issues.map((issue) => ({ key: issue.path.join("."), message: issue.message })),
      HELP,
    );
  }
  return { spec: spec.data, typed, notes };
}

interface GivenService {
  port?: number | undefined;
  requested?: boolean | undefined;
}

function givenServices(draft: Draft): Map<string, GivenService> | undefined {
  if (draft.services === undefined) return undefined;
  if (Array.isArray(draft.services)) return new Map(draft.services.map((id) => [id, {}]));
  return new Map(Object.entries(draft.services).map(([id, service]) => [id, service ?? {}]));
}

/** A service that is used from outside is not part of this stack. */
function dropExternal(
  id: string,
  draft: Draft,
  wanted: Set<string>,
  given: Map<string, GivenService> | undefined,
  notes: string[],
): void {
  const { mode, host } = draft.external?.[id] ?? {};
  if (mode === "external") {
    if (wanted.delete(id) && given?.has(id) === true) {
      notes.push(`${id} is used from outside (${id}: external), so it is left out of the services`);
    }
  } else if (host !== undefined) {
    throw usageError(
      formatProblem({ key: `${id}.host`, message: "is only for mode: external" }),
      `set ${id}.mode to external, or remove the host`,
    );
  }
}
