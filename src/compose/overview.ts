import { mapping, textual } from "../lib/mapping.ts";
import { networkName, type Compose, type Service } from "./model.ts";
import { publishedBy } from "./ports.ts";

/** What a stack looks like from outside: who is on which network, and what is published. Plain values. */
export interface StackOverview {
  services: readonly ServiceOverview[];
  /** Those that lead outside come first. */
  networks: readonly NetworkOverview[];
  /** Whether it includes other files, whose services are not seen here. */
  hasMore: boolean;
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
  kind: "bridge" | "internal" | "external" | "lan";
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
      return { name: service.name, networkMode: mode, published: publicationOf(service, mode, compose, project) };
    }),
    networks: networksOf(compose, project),
    hasMore: compose.includes,
  };
}

function modeOf({ settings }: Service): string | undefined {
  const { network_mode: mode } = settings;
  return typeof mode === "string" ? mode : undefined;
}

function publicationOf(
  { ports, networks, settings }: Service,
  mode: string | undefined,
  compose: Compose,
  project: string,
): Publication {
  const everything = { text: "every port that it listens on", isLoopback: false };
  if (mode === "host") return { ranges: [], others: [everything] };
  const ranges: PortRange[] = [];
  const others: { text: string; isLoopback: boolean }[] = [];
  if (mapping(settings["extends"])["file"] !== undefined)
    others.push({ text: "what another file says, which is not read", isLoopback: false });
  for (const key of networks) {
    const definition = compose.networks.get(key);
    if (networkName(key, definition, project) === "host") others.push(everything);
    else if (isOnTheLan(definition)) others.push({ text: "every port, at an address of its own", isLoopback: false });
  }
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

/** Containers on such a network have addresses beside those of the host. */
function isOnTheLan(definition: Record<string, unknown> | undefined): boolean {
  return ["macvlan", "ipvlan"].includes(textual(definition?.["driver"]));
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
  const order = ["lan", "bridge", "external", "internal"];
  return [...byKey]
    .map(([key, names]): NetworkOverview => {
      const definition = networks.get(key);
      const isExternal = definition?.["external"] !== undefined && definition["external"] !== false;
      const kind = isExternal
        ? "external"
        : definition?.["internal"] === true
          ? "internal"
          : isOnTheLan(definition)
            ? "lan"
            : "bridge";
      return { name: networkName(key, definition, project), kind, services: names };
    })
    .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}
