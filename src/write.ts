import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { withRootLock } from "./apply/lock.ts";
import { requireDerivable, stageDerived } from "./apply/create.ts";
import { recoverAll, type Place } from "./pipeline.ts";
import { checkRoot, readRoot, type Root } from "./probe/root.ts";
import { portAllocation, PORT_TABLE_FILE } from "./report/port-allocation.ts";
import type { Spec } from "./spec/schema.ts";

export interface WriteEvents {
  onWait: () => void;
  /** Called when nothing can be undone by a signal any more. */
  onCommit: () => void;
  onNote: (text: string) => void;
}

/**
 * What a command does under the lock.
 * @param commit to be called right before each write
 * @returns its result, and the specs that hold afterwards
 */
export type Work<T> = (root: Root, commit: () => void) => Promise<{ result: T; specs: readonly Spec[] }>;

/**
 * Changes frameworks of a root: locked, after what was interrupted before is finished, and with the table of ports
 * that belongs to the change. Refused input leaves no file.
 */
export async function changeRoot<T>(
  place: Place,
  events: WriteEvents,
  work: Work<T>,
  { claims = true } = {},
): Promise<T> {
  checkRoot(place.root, place.shown);
  return withRootLock(place.root, place.shown, events.onWait, async (requireHeld) => {
    for (const note of await recoverAll(place)) events.onNote(note);
    const root = await readRoot(place.root, place.shown, place.catalogue, { tolerant: true, claims });
    requireDerivable(place.root, PORT_TABLE_FILE);
    const { result, specs } = await work(root, () => {
      requireHeld();
      events.onCommit();
    });
    // A broken framework.yaml says nothing of its ports: the table that is there is better.
    if (root.broken.length > 0) {
      const folders = root.broken.map(({ folder }) => folder).join(", ");
      events.onNote(`warning: ${PORT_TABLE_FILE} stays as it was, because the ports of ${folders} are not known`);
    } else if (specs.length > 0 || hasTable(place))
      stageDerived(place.root, PORT_TABLE_FILE, portAllocation(specs, place.catalogue))();
    return result;
  });
}

function hasTable(place: Place): boolean {
  return existsSync(join(place.root, PORT_TABLE_FILE));
}

/** Whether PORT_ALLOCATION.md is what the specs give; line ends that git changed are no drift. */
export function isTableCurrent(specs: readonly Spec[], place: Place): boolean {
  if (!hasTable(place)) return specs.length === 0;
  requireDerivable(place.root, PORT_TABLE_FILE);
  const text = readFileSync(join(place.root, PORT_TABLE_FILE), "utf8").replaceAll("\r\n", "\n");
  return text === portAllocation(specs, place.catalogue);
}
