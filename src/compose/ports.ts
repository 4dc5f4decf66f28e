import { mapping } from "../lib/mapping.ts";
import { isPlain, splitColons, variableIn } from "./syntax.ts";

type Protocol = "tcp" | "udp";

/** An entry of `ports`, as a compose file writes it; variables are still in it. */
export interface PortEntry {
  /** Host address, or "" when none is given. */
  address: string;
  /** Host port or range, or "" when the engine chooses one. */
  host: string;
  /** Port or range inside the container. */
  container: string;
  protocol: string;
  /** The variable that the host port is made from, if it is. */
  variable: string | null;
  /** The whole entry, for short syntax: interpolation may change how many parts it has. */
  short: string | undefined;
}

/** A host port that is published. */
export interface Published {
  protocol: Protocol;
  address: string;
  port: number;
  variable: string | null;
}

/**
 * An entry of `ports`: `[[ADDRESS:]HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL]`, a number, or the long syntax.
 * @returns undefined for something else
 */
export function portEntry(value: unknown): PortEntry | undefined {
  if (isPlain(value)) return shortEntry(String(value));
  const { target, published, protocol, host_ip: address } = mapping(value);
  if (!isPlain(target) && !isPlain(published)) return undefined;
  return {
    address: typeof address === "string" ? address : "",
    host: isPlain(published) ? String(published) : "",
    container: isPlain(target) ? String(target) : "",
    protocol: isPlain(protocol) ? String(protocol) : "tcp",
    variable: isPlain(published) ? variableIn(String(published)) : null,
    short: undefined,
  };
}

function shortEntry(text: string): PortEntry {
  const parts = splitColons(text);
  const last = parts.at(-1) ?? "";
  const slash = last.lastIndexOf("/");
  const host = parts.at(-2) ?? "";
  return {
    address: parts
      .slice(0, -2)
      .join(":")
      .replace(/^\[(.*)\]$/, "$1"),
    host,
    container: slash === -1 ? last : last.slice(0, slash),
    protocol: slash === -1 ? "tcp" : last.slice(slash + 1),
    variable: variableIn(host),
    short: text,
  };
}

/** How many ports an entry, and a file, may publish: a TURN server has some 16,000, nobody has all. */
export const MAX_RANGE = 20_000;

/**
 * The host ports that an entry publishes: one for each port of a range. An entry without a host port gets a random
 * one from the engine, so it publishes nothing that could be known.
 * @param expand interpolates one scalar
 * @returns undefined for a range of more than `MAX_RANGE` ports
 */
export function publishedBy(entry: PortEntry, expand: (text: string) => string): Published[] | undefined {
  const { variable } = entry;
  if (entry.short !== undefined) {
    const { address, host, protocol } = shortEntry(expand(entry.short));
    return numbered({ address, host, protocol, variable });
  }
  const { host, address, protocol } = entry;
  return numbered({ address: expand(address), host: expand(host), protocol: expand(protocol), variable });
}

type Expanded = Pick<PortEntry, "address" | "host" | "protocol" | "variable">;

function numbered({ address, host, protocol: written, variable }: Expanded): Published[] | undefined {
  const protocol = written.toLowerCase();
  if (protocol !== "tcp" && protocol !== "udp") return [];
  return range(host)?.map((port) => ({ protocol, address: address === "" ? "0.0.0.0" : address, port, variable }));
}

/** `8000` or `8000-8010`; nothing when it is neither, undefined when it is too wide. */
function range(text: string): number[] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim());
  if (match === null) return [];
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (first < 1 || last > 65_535 || last < first) return [];
  if (last - first >= MAX_RANGE) return undefined;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
