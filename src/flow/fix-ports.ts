import { dotenvValues } from "../env/dotenv.ts";
import { isListening } from "../host/listening.ts";
import { withPorts } from "../ports/give.ts";
import { settle } from "../ports/settle.ts";
import { SPEC_FILE, type Framework } from "../root/framework.ts";
import type { Place } from "./place.ts";
import { requireComplete } from "./road/complete.ts";
import { planChange, type PlannedChange } from "./road/plan-change.ts";
import { inSession, type Session } from "./session.ts";

/** Give one of two holders of a port another one. */
export interface FixPortsRequest {
  place: Place;
  dry: boolean;
}

/** A service that was given another port. */
interface Move {
  folder: string;
  service: string;
  from: number | undefined;
  to: number | undefined;
}

export interface FixPortsResult {
  changes: readonly PlannedChange[];
  moves: readonly Move[];
  /** Whether PORT_ALLOCATION.md was written again, or would be. */
  tableChanged: boolean;
  written: boolean;
  notes: readonly string[];
}

/**
 * Moves one of two holders of a port, wherever a spec can say so, and brings PORT_ALLOCATION.md up to date: one change,
 * however many frameworks it is about.
 */
export async function fixPorts({ place, dry }: FixPortsRequest): Promise<FixPortsResult> {
  return inSession(place, { dry }, async (session) => {
    const changes = await plan(session, place);
    const wasCurrent = session.isTableCurrent;
    await session.commit(changes);
    return {
      changes,
      moves: changes.flatMap(movesOf),
      tableChanged: changes.length > 0 || !wasCurrent,
      written: !dry,
      notes: [...session.notes, ...leftBehind(changes, session.root.frameworks)],
    };
  });
}

async function plan({ root }: Session, place: Place): Promise<PlannedChange[]> {
  const claims = await root.claims();
  const ports = await settle(root.frameworks, claims.all, isListening, place.catalogue);
  const changes: PlannedChange[] = [];
  for (const framework of root.frameworks) {
    const moved = ports.get(framework.folder);
    if (moved === undefined) continue;
    await requireComplete(framework, place);
    changes.push(await planChange({ framework, spec: withPorts(framework.spec, moved), upgrade: false }, place));
  }
  return changes;
}

function movesOf({ folder, framework, spec }: PlannedChange): Move[] {
  return Object.entries(spec.services).flatMap(([service, { port }]) => {
    const from = framework.spec.services[service]?.port;
    return port === from ? [] : [{ folder, service, from, to: port }];
  });
}

/** What still names a port that moved: a value that somebody changed, or another framework that uses the service. */
function leftBehind(changes: readonly PlannedChange[], frameworks: readonly Framework[]): string[] {
  return changes.flatMap((change) =>
    movesOf(change).flatMap(({ folder, service, from }) => {
      if (from === undefined) return [];
      const old = new RegExp(`:${String(from)}(?![0-9])`);
      const values = dotenvValues(change.plan.writes.get(".env")?.content ?? "");
      const own = [...values].filter(([, value]) => old.test(value)).map(([name]) => `${folder}/.env: ${name}`);
      const others = frameworks
        .filter((each) => each.folder !== folder && usesPort(each, old))
        .map((each) => `${each.folder}/${SPEC_FILE} and its .env: the external URL`);
      return [...own, ...others].map(
        (place) => `warning: ${place} still names port ${String(from)}, which ${service} of ${folder} had`,
      );
    }),
  );
}

function usesPort({ spec }: Framework, port: RegExp): boolean {
  return Object.values(spec.external).some(({ host }) => host !== undefined && port.test(host));
}
