import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Spec } from "../spec/schema.ts";
import type { AllocationInput } from "./allocate.ts";
import { ClaimTable, type Claim } from "./claim.ts";
import { givePorts } from "./give.ts";

/** A framework whose spec may be changed to end a clash. */
export interface Movable {
  folder: string;
  spec: Spec;
}

/** Smaller is better: what no spec says stays; then a preset under its own name; then any on its preset's own port. */
function right(claim: Claim, frameworks: readonly Movable[], catalogue: Catalogue): number {
  if (claim.source !== "spec") return 0;
  const spec = frameworks.find((each) => each.folder === claim.framework)?.spec;
  const slot = spec === undefined ? undefined : catalogue.presets.get(spec.preset)?.slot;
  const base = catalogue.services.get(claim.service)?.port?.base;
  if (slot === undefined || base === undefined || base + slot !== claim.port) return 3;
  return spec?.name === spec?.preset ? 1 : 2;
}

/**
 * New ports for the holders that must give way, so that no port has two, wherever a spec can mend it.
 * @param claims everything that is claimed, as it is
 * @returns the new ports by folder and service; empty when there is nothing to move
 */
export async function settle(
  frameworks: readonly Movable[],
  claims: readonly Claim[],
  listening: AllocationInput["listening"],
  catalogue: Catalogue,
): Promise<Map<string, Map<string, number>>> {
  const moves = new Map<string, Map<string, number>>();
  let current = [...claims];
  // Each round settles one framework on free ports, so it cannot come up again.
  for (const framework of frameworks) {
    const losing = losers(framework, frameworks, current, catalogue);
    if (losing.length === 0) continue;
    const gone = (claim: Claim): boolean =>
      claim.framework === framework.folder && claim.source === "spec" && losing.includes(claim.service);
    const left = current.filter((claim) => !gone(claim));
    const only = Object.fromEntries(Object.entries(framework.spec.services).filter(([id]) => losing.includes(id)));
    // A preset's own slot is what was lost, so only the free slots are left.
    const spec: Spec = { ...framework.spec, services: only, preset: "" };
    const { ports } = await givePorts(spec, new Map(), { claims: new ClaimTable(left), listening }, catalogue);
    moves.set(framework.folder, new Map(ports));
    const moved = current.filter(gone).map((claim) => ({ ...claim, port: ports.get(claim.service) ?? claim.port }));
    current = [...left, ...moved];
  }
  return moves;
}

/** The services of a framework whose port somebody with a better right has. */
function losers(
  framework: Movable,
  frameworks: readonly Movable[],
  claims: readonly Claim[],
  catalogue: Catalogue,
): string[] {
  const lost = new ClaimTable(claims).clashes().flatMap((clash) => {
    const ranked = clash.toSorted(
      (a, b) =>
        right(a, frameworks, catalogue) - right(b, frameworks, catalogue) || (a.framework < b.framework ? -1 : 1),
    );
    return ranked.slice(1).filter((claim) => claim.framework === framework.folder && claim.source === "spec");
  });
  const known = lost.map((claim) => claim.service).filter((id) => catalogue.services.get(id)?.port !== undefined);
  return [...new Set(known)];
}
