import { usageError } from "../lib/errors.ts";
import { SPEC_FILE } from "../root/framework.ts";
import { theFramework } from "../root/find.ts";
import { isExternal, type Spec } from "../spec/schema.ts";
import { withService } from "../spec/services.ts";
import type { Place } from "./place.ts";
import { requireComplete } from "./road/complete.ts";
import { planChange } from "./road/plan-change.ts";
import { completePorts, PortBook } from "./road/ports.ts";
import { NOTHING_TO_DO, requireKnown, warningsOf, type ServiceChange, type ServiceChoice } from "./service.ts";
import { inSession, type Session } from "./session.ts";

/** Add a service to a framework, and what it needs. */
export interface AddRequest extends ServiceChoice {
  place: Place;
  /** Host ports of what is added, where the user gave any. */
  ports: ReadonlyMap<string, number>;
  dry: boolean;
}

/**
 * Adds a service; the neighbours stay as they are, even where the templates have moved on.
 * @throws UserError for what cannot be done
 */
export async function addService(request: AddRequest): Promise<ServiceChange> {
  const { place, dry } = request;
  requireKnown(request.service, place.catalogue);
  return inSession(place, { dry }, async (session) => {
    const planned = await plan(request, session);
    if (planned.change !== undefined) await session.commit([planned.change]);
    return { ...planned, written: !dry, notes: [...session.notes, ...planned.notes] };
  });
}

async function plan(request: AddRequest, { root }: Session): Promise<ServiceChange> {
  const { service, ports, place } = request;
  const { catalogue } = place;
  const framework = theFramework(root, request.framework, `add-service ${service}`);
  const { folder, spec } = framework;
  await requireComplete(framework, place);
  if (ports.size === 0 && spec.services[service]?.requested === true)
    return { ...NOTHING_TO_DO, folder, reason: `has ${service} already`, notes: warningsOf(root) };
  requireInside(spec, service, `${place.shown}/${folder}/${SPEC_FILE}`);
  const book = new PortBook(root, place);
  const completed = await completePorts(framework, withService(spec, service, catalogue), ports, book, place);
  const change = await planChange({ framework, spec: completed.spec, upgrade: false }, place);
  const added = Object.keys(completed.spec.services).filter((id) => !(id in spec.services));
  const came = added.filter((id) => id !== service);
  return {
    ...NOTHING_TO_DO,
    folder,
    change,
    added: Object.fromEntries(Object.entries(completed.spec.services).filter(([id]) => added.includes(id))),
    notes: [
      ...warningsOf(root),
      ...(await book.warnings()),
      ...completed.notes.map((note) => `${folder}: ${note}`),
      ...(came.length === 0 ? [] : [`${folder}: ${came.join(", ")}: added as well, ${service} needs it`]),
    ],
  };
}

function requireInside(spec: Spec, service: string, file: string): void {
  if (!isExternal(spec, service)) return;
  throw usageError(
    `${service} runs outside this stack: ${file} says ${service}.mode external`,
    `write mode: dedicated there, without host, and ${service}: {} under services; then npm run regenerate`,
    [],
    "external",
  );
}
