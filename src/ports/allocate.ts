import { EXIT, UserError, type Problem } from "../lib/errors.ts";
import { describeHolder, type ClaimTable, type Protocol } from "./claim.ts";
import { reservedReason } from "./reserved.ts";

/** A service that wants a host port. */
export interface PortRequest {
  service: string;
  protocol: Protocol;
  base: number;
  last: number;
  /** A port the user gave: taken as it is, or refused. */
  typed?: number | undefined;
}

export interface AllocationInput {
  requests: readonly PortRequest[];
  /** The preset's row of the port table; undefined: the first free one from `FIRST_FREE_SLOT` on. */
  slot: number | undefined;
  claims: ClaimTable;
  /** Whether something on this host listens there. */
  listening: (protocol: Protocol, port: number) => Promise<boolean>;
}

export interface Allocation {
  ports: ReadonlyMap<string, number>;
  /** What moved and why, and warnings about typed ports; for the person, not for a file. */
  notes: readonly string[];
}

/** Slots 0-4 belong to the presets of the port table. */
export const FIRST_FREE_SLOT = 5;

/** Where ports come from once a service's own range is used up. */
export const OVERFLOW = { first: 10_000, last: 29_999 } as const;

/**
 * Gives every request a host port. All services of a framework get the same offset
 * from their base where that is possible.
 * @throws UserError exit 3: a typed port is held by somebody; exit 2: a typed port is used twice;
 *   exit 1: no port is left
 */
export async function allocate(input: AllocationInput): Promise<Allocation> {
  const notes: string[] = [];
  const ports = new Map<string, number>();
  const own = new Set<string>();

  const blocker = async (protocol: Protocol, port: number): Promise<string | undefined> => {
    if (own.has(`${protocol}/${String(port)}`)) return "another service of this framework";
    const claim = input.claims.holder(protocol, port);
    if (claim !== undefined) return describeHolder(claim);
    return (await input.listening(protocol, port)) ? LISTENING : undefined;
  };
  const give = (request: PortRequest, port: number): void => {
    ports.set(request.service, port);
    own.add(`${request.protocol}/${String(port)}`);
  };

  await takeTyped(input, blocker, give, own, notes);

  const open = input.requests.filter((request) => request.typed === undefined);
  const free = async (request: PortRequest, port: number): Promise<boolean> =>
    reservedReason(port) === undefined && (await blocker(request.protocol, port)) === undefined;

  const slot = await commonSlot(input, open, free);
  if (slot !== undefined) for (const request of open) give(request, request.base + slot);
  else {
    for (const request of open) {
      const port =
        (await firstFree(request.base + FIRST_FREE_SLOT, request.last, request, free)) ??
        (await firstFree(OVERFLOW.first, OVERFLOW.last, request, free));
      if (port === undefined) {
        throw new UserError(`no free port is left for ${request.service}`, {
          code: "no-port",
          exit: EXIT.failure,
          hint: `give one yourself: --port ${request.service}=PORT`,
        });
      }
      give(request, port);
    }
  }
  notes.push(...(await moved(input, open, ports, blocker)));
  return { ports, notes };
}

const LISTENING = "a program that listens on this host";

async function takeTyped(
  input: AllocationInput,
  blocker: (protocol: Protocol, port: number) => Promise<string | undefined>,
  give: (request: PortRequest, port: number) => void,
  own: ReadonlySet<string>,
  notes: string[],
): Promise<void> {
  const clashes: Problem[] = [];
  const hints: string[] = [];
  for (const request of input.requests) {
    const port = request.typed;
    if (port === undefined) continue;
    if (own.has(`${request.protocol}/${String(port)}`)) {
      const message = `port ${String(port)} is given to two services`;
      throw new UserError(message, {
        code: "invalid",
        exit: EXIT.usage,
        hint: "give each service a port of its own",
        details: [{ key: `services.${request.service}.port`, message }],
      });
    }
    const holder = await blocker(request.protocol, port);
    give(request, port);
    if (holder === undefined) {
      const reason = reservedReason(port);
      if (reason !== undefined) notes.push(`warning: port ${String(port)} for ${request.service}: ${reason}`);
      continue;
    }
    const nearest = await nearestFree(request, blocker);
    clashes.push({
      key: `services.${request.service}.port`,
      message: `port ${String(port)} for ${request.service} is held by ${holder}`,
    });
    if (nearest !== undefined) hints.push(`--port ${request.service}=${String(nearest)}`);
  }
  const [first] = clashes;
  if (first === undefined) return;
  throw new UserError(clashes.length === 1 ? first.message : `${String(clashes.length)} ports are taken`, {
    code: "port-clash",
    exit: EXIT.portClash,
    hint: hints.length === 0 ? "npm run ports shows who holds which port" : `nearest free: ${hints.join(" ")}`,
    details: clashes,
  });
}

/** The free port with the smallest distance from the one that was asked for; of two, the higher. */
async function nearestFree(
  request: PortRequest,
  blocker: (protocol: Protocol, port: number) => Promise<string | undefined>,
): Promise<number | undefined> {
  const wanted = request.typed ?? request.base;
  for (let distance = 1; distance < 65_535; distance += 1) {
    for (const port of [wanted + distance, wanted - distance]) {
      if (port < 1024 || port > 65_535 || reservedReason(port) !== undefined) continue;
      if ((await blocker(request.protocol, port)) === undefined) return port;
    }
  }
  return undefined;
}

type Free = (request: PortRequest, port: number) => Promise<boolean>;

/** The smallest slot at which every request's port is free: the preset's own, or one from `FIRST_FREE_SLOT` on. */
async function commonSlot(
  input: AllocationInput,
  open: readonly PortRequest[],
  free: Free,
): Promise<number | undefined> {
  const fits = async (slot: number): Promise<boolean> => {
    for (const request of open) {
      const port = request.base + slot;
      if (port > request.last || !(await free(request, port))) return false;
    }
    return true;
  };
  if (input.slot !== undefined && (await fits(input.slot))) return input.slot;
  const longest = Math.max(0, ...open.map((request) => request.last - request.base));
  for (let slot = FIRST_FREE_SLOT; slot <= longest; slot += 1) if (await fits(slot)) return slot;
  return undefined;
}

async function firstFree(from: number, to: number, request: PortRequest, free: Free): Promise<number | undefined> {
  for (let port = from; port <= to; port += 1) if (await free(request, port)) return port;
  return undefined;
}

/** Says why a preset did not get its ports of the table. */
async function moved(
  input: AllocationInput,
  open: readonly PortRequest[],
  ports: ReadonlyMap<string, number>,
  blocker: (protocol: Protocol, port: number) => Promise<string | undefined>,
): Promise<string[]> {
  const { slot } = input;
  if (slot === undefined || open.every((request) => ports.get(request.service) === request.base + slot)) return [];
  const reasons: string[] = [];
  for (const request of open) {
    const wanted = request.base + slot;
    if (ports.get(request.service) === wanted) continue;
    const holder = await blocker(request.protocol, wanted);
    if (holder !== undefined && holder !== "another service of this framework")
      reasons.push(`${String(wanted)} (${request.service}) is held by ${holder}`);
  }
  const now = open.map((request) => `${request.service} ${String(ports.get(request.service))}`).join(", ");
  return [`ports moved on: ${reasons.length === 0 ? "the usual ones are not free" : reasons.join("; ")}; now ${now}`];
}
