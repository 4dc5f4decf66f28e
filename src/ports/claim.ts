export type Protocol = "tcp" | "udp";

/** Somebody's claim on a host port, found in a file. */
export interface Claim {
  protocol: Protocol;
  port: number;
  address: string;
  /** Directory below the root, or "" for a file in the root itself. */
  framework: string;
  /** Folder of the file below the root: one service of one folder is one holder, whatever its files. */
  place: string;
  service: string;
  variable: string | null;
  source: "spec" | "env" | "foreign";
  /** The file it stands in, for messages. */
  file: string;
  /** The spec's port while `.env` publishes another: nothing listens there, but a clone without that `.env` would. */
  shadowed: boolean;
}

function portKey(protocol: Protocol, port: number): string {
  return `${protocol}/${String(port)}`;
}

/** Claims by (protocol, port): the address does not count, `0.0.0.0` overlaps every other. */
export class ClaimTable {
  readonly #byPort = new Map<string, Claim[]>();

  constructor(claims: Iterable<Claim> = []) {
    for (const claim of claims) this.add(claim);
  }

  add(claim: Claim): void {
    const key = portKey(claim.protocol, claim.port);
    const list = this.#byPort.get(key);
    if (list === undefined) this.#byPort.set(key, [claim]);
    else list.push(claim);
  }

  /** Takes away the claims that `which` holds for. */
  drop(which: (claim: Claim) => boolean): void {
    for (const [key, claims] of this.#byPort) {
      const kept = claims.filter((claim) => !which(claim));
      if (kept.length === 0) this.#byPort.delete(key);
      else this.#byPort.set(key, kept);
    }
  }

  holder(protocol: Protocol, port: number): Claim | undefined {
    return this.#byPort.get(portKey(protocol, port))?.[0];
  }

  /** Ports that two different holders would really publish. */
  clashes(): Claim[][] {
    return [...this.#byPort.values()]
      .map((claims) => claims.filter((claim) => !claim.shadowed))
      .filter((claims) => new Set(claims.map((claim) => `${claim.place}\0${claim.service}`)).size > 1);
  }
}

/** `qdrant of crewai (crewai/framework.yaml)`. */
export function describeHolder(claim: Claim): string {
  const where = claim.framework === "" ? "" : ` of ${claim.framework}`;
  const shadow = claim.shadowed ? ", overridden in its .env but still written there" : "";
  return `${claim.service}${where} (${claim.file}${shadow})`;
}
