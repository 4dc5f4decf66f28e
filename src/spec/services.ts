import { withDependencies, type Catalogue } from "../catalogue/catalogue.ts";
import type { Spec } from "./schema.ts";

/** The spec with a service that was asked for, and with what it needs. Ports of what is new are still to be given. */
export function withService(spec: Spec, id: string, catalogue: Catalogue): Spec {
  const services = { ...spec.services };
  for (const needed of withDependencies(catalogue, [id])) services[needed] ??= { requested: false };
  services[id] = { ...services[id], requested: true };
  return { ...spec, services: sorted(services) };
}

/** Services of the spec that cannot run without `id`. */
export function dependants(spec: Spec, id: string, catalogue: Catalogue): string[] {
  return Object.keys(spec.services).filter(
    (other) => other !== id && catalogue.services.has(other) && withDependencies(catalogue, [other]).includes(id),
  );
}

/** The spec without a service, and without what came for it alone. */
export function withoutService(spec: Spec, id: string, catalogue: Catalogue): Spec {
  const wanted = Object.entries(spec.services).filter(([other, { requested }]) => other !== id && requested);
  const kept = new Set(
    withDependencies(
      catalogue,
      wanted.map(([other]) => other).filter((other) => catalogue.services.has(other)),
    ),
  );
  const services = Object.entries(spec.services).filter(([other]) => kept.has(other));
  return withoutDigests({ ...spec, services: Object.fromEntries(services) }, catalogue);
}

/** The spec without the recorded digests of containers that it has no service for. */
function withoutDigests(spec: Spec, catalogue: Catalogue): Spec {
  const { digests, ...rest } = spec;
  if (digests === undefined) return spec;
  const containers = new Set(Object.keys(spec.services).flatMap((id) => containersOf(catalogue, id)));
  const left = Object.entries(digests).filter(([container]) => containers.has(container));
  return left.length === 0 ? (rest as Spec) : { ...spec, digests: Object.fromEntries(left) };
}

function containersOf(catalogue: Catalogue, id: string): string[] {
  return catalogue.services.get(id)?.containers.map(({ name }) => name) ?? [];
}

function sorted(services: Spec["services"]): Spec["services"] {
  return Object.fromEntries(Object.entries(services).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
