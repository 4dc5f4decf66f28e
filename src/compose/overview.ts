import { networkName, type Compose, type Service } from "./model.ts";
import { publishedBy } from "./ports.ts";

/** What a stack looks like from outside: who is on which network, and what is published. Plain values. */
export interface StackOverview {
  services: readonly ServiceOverview[];
  /** Those that lead outside come first. */
  networks: readonly NetworkOverview[];
}

export interface ServiceOverview {
  name: string;
  /** A network mode of its own, such as `host`; then it is on no network of the stack. */
  networkMode: string | undefined;
  published: Publication;
}

export interface NetworkOverview {
  /** Its name in the engine. */
  name: string;
  kind: "bridge" | "internal" | "external";
  /** Names of the services that are on it. */
  services: readonly string[];
}

/** What a service publishes on this host. */
export interface Publication {
  /** Runs of ports, in the order of the file. */
  ranges: readonly PortRange[];
  /** What else it publishes and cannot be listed, in words. */
  others: readonly { text: string; isLoopback: boolean }[];
}

export interface PortRange {
  protocol: string;
  address: string;
  first: number;
  last: number;
  isLoopback: boolean;
}

/** @param compose with its variables filled in @param project its Compose project, which networks are named after */
export function overviewOf(compose: Compose, project: string): StackOverview {
  return {
    services: [...compose.services.values()].map((service) => {
      const mode = modeOf(service);
      return { name: service.name, networkMode: mode, published: publicationOf(service, mode) };
    }),
    networks: networksOf(compose, project),
  };
}

function modeOf({ settings }: Service): string | undefined {
  const { network_mode: mode } = settings;
  return typeof mode === "string" ? mode : undefined;
}

function publicationOf({ ports }: Service, mode: string | undefined): Publication {
  if (mode === "host") return { ranges: [], others: [{ text: "every port that it listens on", isLoopback: false }] };
  const ranges: PortRange[] = [];
  const others: { text: string; isLoopback: boolean }[] = [];
  for (const entry of ports) {
    // The variables of the file are filled in already.
    const published = publishedBy(entry, (text) => text);
    const isLoopback = isLoopbackAddress(entry.address);
    if (published === undefined) others.push({ text: "more ports than are listed", isLoopback });
    else if (published.length === 0) others.push({ text: "a port that the engine chooses", isLoopback });
    for (const { protocol, address, port } of published ?? []) {
      const before = ranges.at(-1);
      const follows = before?.address === address && before.protocol === protocol && before.last === port - 1;
      if (follows) before.last = port;
      else ranges.push({ protocol, address, first: port, last: port, isLoopback: isLoopbackAddress(address) });
    }
  }
  return { ranges, others };
}

function isLoopbackAddress(address: string): boolean {
  return /^(?:127\.\d+\.\d+\.\d+|\[?::1\]?|localhost)$/.test(address);
}

function networksOf({ services, networks }: Compose, project: string): NetworkOverview[] {
  const byKey = new Map<string, string[]>();
  for (const service of services.values()) {
    if (modeOf(service) !== undefined) continue;
    // One that names none is on the project's own.
    for (const key of service.networks.length === 0 ? ["default"] : service.networks) {
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, [service.name]);
      else known.push(service.name);
    }
  }
  const order = ["bridge", "external", "internal"];
  return [...byKey]
    .map(([key, names]): NetworkOverview => {
      const definition = networks.get(key);
      const isExternal = definition?.["external"] !== undefined && definition["external"] !== false;
      const kind = isExternal ? "external" : definition?.["internal"] === true ? "internal" : "bridge";
      return { name: networkName(key, definition, project), kind, services: names };
    })
    .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}
