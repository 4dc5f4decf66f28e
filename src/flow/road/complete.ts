import { externalServices, reservedNames, withDependencies, type Catalogue } from "../../catalogue/catalogue.ts";
import { nameProblem } from "../../catalogue/names.ts";
import { problemsError, UserError, usageError } from "../../lib/errors.ts";
import { quotedForShell } from "../../lib/shell.ts";
import { SPEC_FILE, type Framework } from "../../root/framework.ts";
import { normalise } from "../../spec/normalise.ts";
import { isExternal, type Spec } from "../../spec/schema.ts";
import { FORMER_REGISTRY, withRegistryOfEnv } from "./images.ts";
import type { Place } from "../place.ts";

/**
 * A spec that somebody edited by hand, with what it implies: the services that others need, without those that
 * nothing needs any more. Ports are left as they are.
 * @throws UserError exit 2 with file, line and key
 */
export async function completeSpec(
  framework: Framework,
  place: Place,
): Promise<{ spec: Spec; notes: readonly string[] }> {
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
        ...(left.length === 0 ? [] : [`${left.join(", ")}: removed, because nothing needs it any more`]),
      ],
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const problems = error.details.length > 0 ? error.details : [{ message: error.message }];
    const { locate } = await import("../../lib/yaml.ts");
    throw problemsError(`${file} is not valid`, locate(framework.specText, file, problems), error.hint);
  }
}

/** With a mirror in `.env`, a service that is added would not come from it. */
function requireRegistryMoved(framework: Framework, { shown }: Place): void {
  if (withRegistryOfEnv(framework, framework.spec).spec === framework.spec) return;
  throw usageError(
    `${shown}/${framework.folder}/.env sets ${FORMER_REGISTRY}, which is registry in ${SPEC_FILE} now`,
    `npm run regenerate -- ${quotedForShell(framework.folder)} moves it`,
    [],
    "not-generated",
  );
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
    externalServices(catalogue).every(({ id }) =>
      isExternal(spec, id) ? !ids.includes(id) : spec.external[id]?.host === undefined,
    )
  );
}

/** @throws UserError exit 2 when the spec says something that was not generated yet, which another command must not do on the side */
export async function requireComplete(framework: Framework, place: Place): Promise<void> {
  const { spec } = await completeSpec(framework, place);
  requireRegistryMoved(framework, place);
  const published = Object.keys(spec.services).filter((id) => place.catalogue.services.get(id)?.port !== undefined);
  const same = Object.keys(spec.services).toSorted().join() === Object.keys(framework.spec.services).toSorted().join();
  if (same && published.every((id) => spec.services[id]?.port !== undefined)) return;
  throw usageError(
    `${place.shown}/${framework.folder}/${SPEC_FILE} was edited and not generated since`,
    `npm run regenerate -- ${quotedForShell(framework.folder)}`,
    [],
    "not-generated",
  );
}
