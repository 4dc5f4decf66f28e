import { portState, type PortState } from "../host/listening.ts";
import { UserError } from "../lib/errors.ts";
import type { Claim } from "../ports/claim.ts";
import type { Place } from "./place.ts";
import { openSession, type Session } from "./session.ts";

/** Who holds which port. */
export interface ListPortsRequest {
  place: Place;
}

interface PortRow {
  claim: Claim;
  state: PortState;
}

export interface ListPortsResult {
  /** What is really published, by port. */
  rows: readonly PortRow[];
  /** Claims of two holders on one port. */
  clashes: readonly (readonly Claim[])[];
  /** Sentences about stacks that share containers and volumes. */
  shared: readonly string[];
  table: "current" | "outdated" | "missing";
  /** Of directories that cannot be read as a framework: of their ports, only what their compose files say is known. */
  errors: readonly UserError[];
  notes: readonly string[];
}

/**
 * The allocation table: what the frameworks and other compose files claim, and what listens on this host.
 */
export async function listPorts({ place }: ListPortsRequest): Promise<ListPortsResult> {
  const session = await openSession(place, { dry: true });
  const { root } = session;
  const claims = await root.claims();
  return {
    rows: await rowsOf(claims.all),
    clashes: claims.table.clashes(),
    shared: root.shared,
    table: tableState(session),
    errors: root.broken.map(({ error }) => error),
    notes: [...session.notes, ...[...claims.warnings, ...root.warnings].map((warning) => `warning: ${warning}`)],
  };
}

/** Something that cannot be read as a table is outdated: the ports themselves are known without it. */
function tableState(session: Session): ListPortsResult["table"] {
  try {
    if (session.isTableCurrent) return "current";
    return session.hasTable ? "outdated" : "missing";
  } catch (error) {
    if (error instanceof UserError) return "outdated";
    throw error;
  }
}

async function rowsOf(claims: readonly Claim[]): Promise<PortRow[]> {
  const published = claims
    .filter((claim) => !claim.shadowed)
    .toSorted((a, b) => a.port - b.port || (a.framework < b.framework ? -1 : 1));
  const states = new Map<string, PortState>();
  const rows: PortRow[] = [];
  for (const claim of published) {
    const key = `${claim.protocol}/${String(claim.port)}`;
    const state = states.get(key) ?? (await portState(claim.protocol, claim.port));
    states.set(key, state);
    rows.push({ claim, state });
  }
  return rows;
}
