import type { Container } from "../host/containers.ts";
import { failed, passed, notAsked, UP, type Verdict } from "./probe.ts";

/** A port that a Compose file publishes. */
export interface Wanted {
  protocol: "tcp" | "udp";
  /** "" for every address. */
  address: string;
  port: number;
}

interface Around {
  containers: readonly Container[];
  isListening: (protocol: "tcp" | "udp", port: number) => Promise<boolean>;
}

/** Whether what is bound on the host is what the file says, no less and no more. */
export async function portsVerdict(
  service: string,
  wanted: readonly Wanted[],
  own: readonly Container[],
  about: Around,
): Promise<Verdict> {
  const bound = own.flatMap(({ ports }) => ports);
  const named = new Set(wanted.map(placeOf));
  const extra = bound.find((each) => !named.has(placeOf(each)));
  if (extra !== undefined)
    return failed(
      `is bound to ${placeOf(extra)}, which its file does not say (any more)`,
      `start it as the file says: ${UP} --force-recreate ${service}`,
    );
  const there = new Set(bound.map(placeOf));
  const ids = new Set(own.map(({ id }) => id));
  const missing = wanted.find((each) => !there.has(placeOf(each)));
  if (missing === undefined) return passed(shown(wanted.map(placeOf)));
  const { protocol, port } = missing;
  const place = placeOf(missing);
  const holder = about.containers.find(
    ({ id, ports }) => !ids.has(id) && ports.some((other) => other.port === port && other.protocol === protocol),
  );
  if (holder !== undefined)
    return failed(
      `${place} belongs to the container ${holder.name}${holder.project === "" ? "" : ` of ${holder.project}`}`,
      "stop that container, or set another port in .env; if it is another framework's: npm run ports -- --fix",
    );
  if (own.every(({ status }) => status !== "running") && !(await about.isListening(protocol, port)))
    return notAsked(service, own[0]?.status);
  if (bound.every((each) => each.port !== port) && (await about.isListening(protocol, port)))
    return failed(
      `${place} is taken by another program of this host`,
      `find it: ss -l${protocol === "tcp" ? "t" : "u"}np 'sport = :${String(port)}'; stop it, or set another port in .env`,
    );
  return failed(`is not bound to ${place}, although its file says so`, `${UP} --force-recreate ${service}`);
}

/** IPv4's and IPv6's word for every address are the same to a Compose file, which names none. */
function placeOf({ protocol, address, port }: { protocol: string; address: string; port: number }): string {
  const host = isEverywhere({ address }) ? "0.0.0.0" : address;
  return `${host}:${String(port)}${protocol === "tcp" ? "" : `/${protocol}`}`;
}

function isEverywhere({ address }: { address: string }): boolean {
  return address === "" || address === "0.0.0.0" || address === "::";
}

const MOST = 5;

function shown(places: readonly string[]): string {
  if (places.length === 0) return "none, as its file says";
  const more = places.length - MOST;
  return `${places.slice(0, MOST).join(", ")}${more > 0 ? ` and ${String(more)} more` : ""}`;
}
