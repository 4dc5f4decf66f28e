import { requireService, type Catalogue } from "../catalogue/catalogue.ts";
import type { Spec } from "../spec/schema.ts";
import { allocate, type Allocation, type AllocationInput, type PortRequest } from "./allocate.ts";

/** The services that publish a port, with their ranges. */
function portRequests(spec: Spec, typed: ReadonlyMap<string, number>, catalogue: Catalogue): PortRequest[] {
  return Object.keys(spec.services).flatMap((id): PortRequest[] => {
    const published = requireService(catalogue, id).port;
    if (published === undefined) return [];
    return [
      { service: id, protocol: published.protocol, base: published.base, last: published.last, typed: typed.get(id) },
    ];
  });
}

/**
 * Host ports for the services of a spec that publish one.
 * @param typed ports the user gave, by service id
 * @param host what is known of the root and of this host
 * @param slot the offset from the services' bases that is tried first; the preset's own by default
 * @throws what `allocate` throws
 */
export async function givePorts(
  spec: Spec,
  typed: ReadonlyMap<string, number>,
  host: Pick<AllocationInput, "claims" | "listening">,
  catalogue: Catalogue,
  slot = catalogue.presets.get(spec.preset)?.slot,
): Promise<Allocation> {
  return allocate({
    requests: portRequests(spec, typed, catalogue),
    slot,
    claims: host.claims,
    listening: host.listening,
  });
}

/** The spec with these host ports; services that are not named keep theirs. */
export function withPorts(spec: Spec, ports: ReadonlyMap<string, number>): Spec {
  return {
    ...spec,
    services: Object.fromEntries(
      Object.entries(spec.services).map(([id, service]) => {
        const port = ports.get(id);
        return [id, port === undefined ? service : { port, requested: service.requested }];
      }),
    ),
  };
}
