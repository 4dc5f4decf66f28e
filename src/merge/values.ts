import { isMapping } from "../lib/mapping.ts";
import { identities, isSame, isUnordered, type Path } from "./identity.ts";

export interface MergedValue {
  value: unknown;
  /** Paths that both sides changed in different ways. */
  conflicts: Path[];
}

/** Stands for "no such key"; `undefined` is never a value of YAML. */
const ABSENT = undefined;

/** What a value is to be that both sides changed; undefined where nobody can say. */
export type Settle = (
  path: readonly string[],
  values: { ours: unknown; base: unknown; theirs: unknown },
) => string | undefined;

/**
 * Three-way merge of plain values: mappings by key, lists by the identity of their items, everything else as
 * a whole. It knows no text, so it is what the merged text is held against.
 * @param prefer `theirs`: what is in conflict is theirs, and no conflict
 * @param settle asked about each value in conflict first
 */
export function mergeValues(
  ours: unknown,
  base: unknown,
  theirs: unknown,
  prefer?: "theirs",
  settle?: Settle,
): MergedValue {
  const conflicts: Path[] = [];
  const value = merge(ours, base, theirs, [], { paths: conflicts, prefer, settle });
  return { value, conflicts: prefer === undefined ? conflicts : [] };
}

interface Conflicts {
  paths: Path[];
  prefer: "theirs" | undefined;
  settle: Settle | undefined;
}

function merge(ours: unknown, base: unknown, theirs: unknown, path: Path, conflicts: Conflicts): unknown {
  if (isSame(base, theirs, path) || isSame(ours, theirs, path)) return ours;
  if (isSame(ours, base, path)) return theirs;
  if (isMapping(ours) && isMapping(base) && isMapping(theirs))
    return mergeMappings(ours, base, theirs, path, conflicts);
  if (Array.isArray(ours) && Array.isArray(base) && Array.isArray(theirs)) {
    const merged = mergeLists(ours, base, theirs, path, conflicts);
    if (merged !== undefined) return merged;
  }
  const settled = conflicts.settle?.(path, { ours, base, theirs });
  if (settled !== undefined) return settled;
  conflicts.paths.push(path);
  return conflicts.prefer === undefined ? ours : theirs;
}

function mergeMappings(
  ours: Record<string, unknown>,
  base: Record<string, unknown>,
  theirs: Record<string, unknown>,
  path: Path,
  conflicts: Conflicts,
): unknown {
  const merged: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(ours), ...Object.keys(base), ...Object.keys(theirs)])) {
    const value = merge(own(ours, key), own(base, key), own(theirs, key), [...path, key], conflicts);
    // defineProperty: a key may be called `__proto__`.
    if (value !== ABSENT)
      Object.defineProperty(merged, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return merged;
}

function own(mapping: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(mapping, key) ? mapping[key] : ABSENT;
}

/** @returns undefined when the lists cannot be merged item by item */
function mergeLists(
  ours: readonly unknown[],
  base: readonly unknown[],
  theirs: readonly unknown[],
  path: Path,
  conflicts: Conflicts,
): unknown[] | undefined {
  const lists = [ours, base, theirs].map((items) => {
    const ids = identities(items, path);
    return ids === undefined ? undefined : new Map(ids.map((id, index) => [id, items[index]]));
  });
  const [o, b, t] = lists;
  if (o === undefined || b === undefined || t === undefined) return undefined;
  if (!isUnordered(path) && !isOrderCertain([...o.keys()], [...b.keys()], [...t.keys()])) return undefined;
  // The same item was replaced on both sides, perhaps by something else: nobody can say which one is meant.
  const lost = [...b.keys()].some((id) => !o.has(id) && !t.has(id));
  if (lost && [...o.keys(), ...t.keys()].some((id) => !b.has(id))) return undefined;

  const order = [...o.keys()];
  let after = -1;
  for (const id of t.keys()) {
    const at = order.indexOf(id);
    if (at === -1 && !b.has(id)) {
      order.splice(after + 1, 0, id);
      after += 1;
    } else if (at !== -1) after = at;
  }
  for (const id of b.keys()) if (!o.has(id)) order.push(id);
  return order.flatMap((id) => {
    const value = merge(o.get(id), b.get(id), t.get(id), [...path, id], conflicts);
    return value === ABSENT ? [] : [value];
  });
}

/** Of a list whose order means something: whether both sides leave no doubt which item comes first. */
function isOrderCertain(ours: readonly string[], base: readonly string[], theirs: readonly string[]): boolean {
  if (!sameOrder(base, theirs)) return false;
  const added = (side: readonly string[]): Set<string | undefined> =>
    new Set(
      side.flatMap((id, index) => {
        const before = side.slice(0, index).findLast((each) => base.includes(each));
        return base.includes(id) ? [] : [before];
      }),
    );
  const fresh = added(theirs);
  if (fresh.size > 0 && !sameOrder(base, ours)) return false;
  return [...added(ours)].every((place) => !fresh.has(place));
}

/** Whether what both lists hold stands in one order. */
function sameOrder(before: readonly string[], after: readonly string[]): boolean {
  const common = new Set(before.filter((id) => after.includes(id)));
  const [a, b] = [before, after].map((ids) => ids.filter((id) => common.has(id)).join("\n"));
  return a === b;
}
