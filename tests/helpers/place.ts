import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import type { Change } from "../../src/flow/change.ts";
import type { Place } from "../../src/flow/place.ts";
import { inSession } from "../../src/flow/session.ts";
import { Interrupt } from "../../src/lib/interrupt.ts";
import { isEmpty } from "../../src/plan/plan.ts";

/** What makes directories in a place of the tests. */
export const PROVENANCE = { program: "1.2.3", templates: "f".repeat(64), isOwn: false };

/** A place where a use case works, which no signal interrupts. */
export function placeAt(root: string, catalogue: Catalogue, shown = "frameworks"): Place {
  return {
    provenance: () => PROVENANCE,
    mayDowngrade: false,
    root,
    shown,
    catalogue,
    interrupt: new Interrupt(),
    onNote: () => undefined,
    onWait: () => undefined,
  };
}

/** Writes a planned change, as a command would. */
export async function written(place: Place, change: Change): Promise<void> {
  if (isEmpty(change.plan)) return;
  await inSession(place, { dry: false }, async (session) => session.commit([change]));
}
