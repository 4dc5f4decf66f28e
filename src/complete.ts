import { reservedNames, withDependencies, type Catalogue } from "./catalogue/catalogue.ts";
import { EXIT, problemsError, UserError, usageError, type Problem } from "./errors.ts";
import type { Place } from "./pipeline.ts";
import { describeHolder, ClaimTable, type Claim } from "./ports/claim.ts";
import { givePorts, withPorts } from "./ports/give.ts";
import { overriddenPort } from "./probe/claims.ts";
import { SPEC_FILE, type Framework } from "./probe/framework.ts";
import { isListening } from "./probe/listening.ts";
import type { Root } from "./probe/root.ts";
import { nameProblem } from "./spec/names.ts";
import { EXTERNAL_CAPABLE, normalise } from "./spec/normalise.ts";
import type { Spec } from "./spec/schema.ts";
import { locate } from "./spec/yaml.ts";

interface Completed {
  spec: Spec;
  notes: string[];
}

/**
 * A spec that somebody edited by hand, with what it implies: the services that others need, without those that
 * nothing needs any more. Ports are left as they are.
 * @throws UserError exit 2 with file, line and key
 */
export function completeSpec(framework: Framework, place: Place): Completed {
  if (isComplete(framework.spec, place.catalogue)) return { spec: framework.spec, notes: [] };
  const file = `${place.shown}/${framework.folder}/${SPEC_FILE}`;
  try {
    const draft = withoutUnneeded(framework.spec, place.catalogue);
    const { spec, notes } = normalise({ draft, ports: new Map() }, place.catalogue);
    const [before, after] = [Object.keys(framework.spec.services), Object.keys(spec.services)];
    const came = after.filter((id) => !before.includes(id));
    const left = before.filter((id) => !after.includes(id));
    return {
      spec,
      notes: [
        ...notes,
        ...(came.length === 0 ? [] : [`${came.join(", ")}: added, because other services need it`]),
        ...(left.length === 0 ? [] : [`${left.join(", ")}: taken out, because nothing needs it any more`]),
      ],
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const problems = error.details.length > 0 ? error.details : [{ message: error.message }];
    throw problemsError(`${file} is not valid`, locate(framework.specText, file, problems), error.hint);
  }
}

/** What came for another service and is not needed any more would be refused for the port that it still has. */
function withoutUnneeded(spec: Spec, catalogue: Catalogue): Spec {
  const wanted = Object.entries(spec.services).filter(([id, { requested }]) => requested && catalogue.services.has(id));
  const needed = new Set(
    withDependencies(
      catalogue,
      wanted.map(([id]) => id),
    ),
  );
  const kept = Object.entries(spec.services).filter(
    ([id, { requested }]) => requested || needed.has(id) || !catalogue.services.has(id),
  );
  return { ...spec, services: Object.fromEntries(kept) };
}

/** Whether there is nothing to complete or to refuse: much cheaper than finding out what. */
function isComplete(spec: Spec, catalogue: Catalogue): boolean {
  const ids = Object.keys(spec.services);
  const wanted = ids.filter((id) => spec.services[id]?.requested === true);
  return (
    catalogue.presets.has(spec.preset) &&
    nameProblem(spec.name, reservedNames(catalogue)) === undefined &&
    wanted.length > 0 &&
    ids.every((id) => catalogue.services.has(id)) &&
    withDependencies(catalogue, wanted).join() === ids.toSorted().join() &&
    ids.every((id) => (catalogue.services.get(id)?.port === undefined) === (spec.services[id]?.port === undefined)) &&
    (spec.langfuse.mode === "external" ? !ids.includes(EXTERNAL_CAPABLE) : spec.langfuse.host === undefined)
  );
}

/** @throws UserError exit 2 when the spec says something that was not generated yet, which another command must not do on the side */
export function requireComplete(framework: Framework, place: Place): void {
  const { spec } = completeSpec(framework, place);
  const published = Object.keys(spec.services).filter((id) => place.catalogue.services.get(id)?.port !== undefined);
  const same = Object.keys(spec.services).toSorted().join() === Object.keys(framework.spec.services).toSorted().join();
  if (same && published.every((id) => spec.services[id]?.port !== undefined)) return;
  throw usageError(
    `${place.shown}/${framework.folder}/${SPEC_FILE} was edited and not generated since`,
    `npm run regenerate -- ${framework.folder}`,
    [],
    "not-generated",
  );
}

/**
 * Gives a port to every service of a spec that publishes one and has none yet; near those that the framework has.
 * @param typed ports the user gave for them
 * @throws what `givePorts` throws
 */
export async function completePorts(
  framework: Framework,
  spec: Spec,
  typed: ReadonlyMap<string, number>,
  root: Root,
  place: Place,
): Promise<Completed> {
  const { catalogue } = place;
  const open = Object.entries(spec.services).filter(
    ([id, { port }]) => port === undefined && catalogue.services.get(id)?.port !== undefined,
  );
  for (const id of typed.keys()) {
    if (!open.some(([each]) => each === id)) {
      throw usageError(
        catalogue.services.get(id)?.port === undefined
          ? `a port is given for ${id}, which publishes none`
          : `a port is given for ${id}, which has one: change it in ${SPEC_FILE}, then npm run regenerate`,
        "give --port only for what is added",
        [],
        "invalid",
      );
    }
  }
  if (open.length === 0) return { spec, notes: [] };
  const wanted = new Set(open.map(([id]) => place.catalogue.services.get(id)?.port?.variable));
  // What its own compose.yaml still publishes for such a service is no stranger's.
  const others = (await root.withClaims()).allClaims.filter(
    (claim) => claim.framework !== framework.folder || !wanted.has(claim.variable ?? undefined),
  );
  const { ports, notes } = await givePorts(
    { ...spec, services: Object.fromEntries(open) },
    typed,
    { claims: new ClaimTable(others), listening: isListening },
    catalogue,
    catalogue.presets.get(spec.preset)?.slot ?? offsetOf(spec, catalogue),
  );
  return { spec: withPorts(spec, ports), notes: [...notes] };
}

/** How far the ports of a framework are from their bases, where all agree. */
function offsetOf(spec: Spec, catalogue: Catalogue): number | undefined {
  const offsets = Object.entries(spec.services).flatMap(([id, { port }]) => {
    const base = catalogue.services.get(id)?.port?.base;
    return base === undefined || port === undefined ? [] : [port - base];
  });
  const [first] = offsets;
  return first !== undefined && first >= 0 && offsets.every((offset) => offset === first) ? first : undefined;
}

/**
 * Checks the ports that were changed by hand; those that stay are sticky, and nobody's business here.
 * @param before the port that was last generated, by service id
 * @throws UserError exit 3 when somebody else holds one
 */
export async function checkMovedPorts(
  framework: Framework,
  spec: Spec,
  before: () => ReadonlyMap<string, number>,
  root: Root,
  place: Place,
): Promise<void> {
  const file = `${place.shown}/${framework.folder}/${SPEC_FILE}`;
  const problems: Problem[] = [];
  const taken = new Map<string, string>();
  for (const [id, { port }] of Object.entries(spec.services)) {
    const manifest = place.catalogue.services.get(id);
    if (port === undefined || manifest?.port === undefined) continue;
    const { protocol } = manifest.port;
    const twin = taken.get(`${protocol}/${String(port)}`);
    taken.set(`${protocol}/${String(port)}`, id);
    // What .env publishes already is nobody else's; it also spares reading what was generated.
    if (twin === undefined && (overriddenPort(framework, manifest) === port || before().get(id) === port)) continue;
    const { allClaims } = await root.withClaims();
    const others = allClaims.filter(
      (claim: Claim) => claim.framework !== framework.folder || claim.source === "foreign",
    );
    const claim = new ClaimTable(others).holder(protocol, port);
    const listening = claim === undefined && twin === undefined && (await isListening(protocol, port));
    const holder = twin ?? (claim === undefined ? undefined : describeHolder(claim));
    if (holder === undefined && !listening) continue;
    problems.push({
      key: `services.${id}.port`,
      message: `port ${String(port)} is held by ${holder ?? "a program that listens on this host"}`,
    });
  }
  if (problems.length === 0) return;
  const located = problemsError("ports are taken", locate(framework.specText, file, problems));
  throw new UserError(located.message, {
    code: "port-clash",
    exit: EXIT.portClash,
    hint: "npm run ports shows who holds which; take the line out to be given a free one",
    details: located.details,
  });
}
