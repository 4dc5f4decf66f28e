import { COMPOSE } from "../compose/file.ts";
import { neededBy } from "../compose/model.ts";
import { EXIT, usageError, UserError } from "../lib/errors.ts";
import { quotedForShell } from "../lib/shell.ts";
import { INCOMING_ENDING } from "../plan/state.ts";
import { theFramework } from "../root/find.ts";
import { volumesOf, type Framework } from "../root/framework.ts";
import type { Spec } from "../spec/schema.ts";
import { dependants, withoutService } from "../spec/services.ts";
import { readFiles } from "../store/directory.ts";
import { SETTLE_HINT } from "./conflicts.ts";
import type { Place } from "./place.ts";
import { requireComplete } from "./road/complete.ts";
import { planChange } from "./road/plan-change.ts";
import { NOTHING_TO_DO, warningsOf, type ServiceChange, type ServiceChoice } from "./service.ts";
import { inSession, type Session } from "./session.ts";

/** Remove a service from a framework, and what came for it alone. */
export interface RemoveServiceRequest extends ServiceChoice {
  place: Place;
  dry: boolean;
}

/**
 * Removes a service; never a volume, and never what something else needs.
 * @throws UserError for what cannot be done
 */
export async function removeService(request: RemoveServiceRequest): Promise<ServiceChange> {
  const { place, dry } = request;
  return inSession(place, { dry }, async (session) => {
    const planned = await plan(request, session);
    if (planned.change !== undefined) await session.commit([planned.change]);
    return { ...planned, written: !dry, notes: [...session.notes, ...planned.notes] };
  });
}

async function plan(
  { service, framework: name, place }: RemoveServiceRequest,
  { root }: Session,
): Promise<ServiceChange> {
  const { catalogue } = place;
  const framework = theFramework(root, name, `remove-service ${service}`);
  const { folder, spec } = framework;
  const shown = `${place.shown}/${folder}`;
  if (!Object.hasOwn(spec.services, service)) {
    if (catalogue.services.has(service))
      return { ...NOTHING_TO_DO, folder, reason: `has no ${service}`, notes: warningsOf(root) };
    throw usageError(
      `"${service.slice(0, 60)}" is not a service of ${shown}`,
      `there are: ${Object.keys(spec.services).join(", ")}`,
      [],
      "unknown-service",
    );
  }
  await requireComplete(framework, place);
  refuseNeeded(spec, service, shown, place);
  const wanted = withoutService(spec, service, catalogue);
  if (Object.keys(wanted.services).length === 0)
    throw usageError(
      `${service} is the last service of ${shown}`,
      `to remove all of it: npm run remove-framework ${quotedForShell(folder)}`,
      [],
      "last-service",
    );
  const gone = Object.keys(spec.services).filter((id) => !(id in wanted.services));
  const change = await planChange({ framework, spec: wanted, upgrade: false }, place);
  refuseOpen([...change.disk.keys()], shown);
  await refuseOwn(framework, gone, shown, place);
  const pruned = gone.filter((id) => id !== service);
  return {
    ...NOTHING_TO_DO,
    folder,
    change,
    volumes: volumesOf(framework, gone, catalogue),
    orphans: true,
    notes: [
      ...warningsOf(root),
      ...(pruned.length === 0 ? [] : [`${folder}: ${pruned.join(", ")}: removed as well, nothing else needs it`]),
    ],
  };
}

function refuseNeeded(spec: Spec, service: string, shown: string, { catalogue }: Place): void {
  const needing = dependants(spec, service, catalogue);
  if (needing.length === 0) return;
  throw usageError(
    `${service} is needed by ${needing.join(", ")} in ${shown}`,
    `remove ${needing.length === 1 ? "that" : "those"} first: npm run remove-service ${needing[0] ?? ""} ${quotedForShell(shown.split("/").at(-1) ?? "")}`,
    needing.map((id) => ({ key: `services.${id}`, message: `needs ${service}` })),
    "needed",
  );
}

/** Nothing is deleted while a conflict is open. */
function refuseOpen(paths: readonly string[], shown: string): void {
  const open = paths.filter((path) => path.endsWith(INCOMING_ENDING));
  if (open.length === 0) return;
  throw new UserError(`a conflict is open in ${shown}: ${open.join(", ")}`, {
    code: "conflicts",
    exit: EXIT.conflicts,
    hint: SETTLE_HINT,
  });
}

/** Services that somebody added to compose.yaml by hand, and that would no longer start. */
async function refuseOwn(
  framework: Framework,
  gone: readonly string[],
  shown: string,
  { catalogue }: Place,
): Promise<void> {
  const text = readFiles(framework.dir, [COMPOSE], shown).get(COMPOSE)?.text;
  if (text === undefined) return;
  const { parseCompose } = await import("../compose/parse.ts");
  const compose = parseCompose(text);
  const containers = gone.flatMap((id) => (catalogue.services.get(id)?.containers ?? []).map(({ name }) => name));
  const needing = compose === undefined ? [] : neededBy(compose, new Set(containers));
  const generated = new Set(
    [...catalogue.services.values()].flatMap((each) => each.containers.map(({ name }) => name)),
  );
  const own = needing.filter(({ by }) => !generated.has(by));
  if (own.length === 0) return;
  throw usageError(
    `${own.map(({ by, service }) => `${by} needs ${service}`).join(", ")} in ${shown}/${COMPOSE}`,
    "remove that first: it is yours, so no command does it",
    own.map(({ by, service }) => ({
      file: `${shown}/${COMPOSE}`,
      key: `services.${by}`,
      message: `needs ${service}`,
    })),
    "needed",
  );
}
