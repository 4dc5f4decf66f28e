import type { Compose } from "./model.ts";
import { parseCompose } from "./parse.ts";

/**
 * Services of somebody's own that shared a network with a generated one before an update of compose.yaml, and do not
 * any more: what they used by its name is not found.
 * @param generated names of the containers that the catalogue makes
 * @returns sentences for people
 */
export function lostNeighbours(before: string, after: string, generated: ReadonlySet<string>): string[] {
  const [old, next] = [parseCompose(before), parseCompose(after)];
  if (old === undefined || next === undefined) return [];
  return [...next.services.values()].flatMap(({ name, networks }) => {
    if (generated.has(name)) return [];
    const lost = [...next.services.values()].filter(
      (other) => generated.has(other.name) && meet(old, name, other.name) && !meet(next, name, other.name),
    );
    return lost.map(({ name: other, networks: now }) => {
      const where = now.findLast((each) => !networks.includes(each)) ?? "";
      return `warning: ${name} no longer shares a network with ${other}: add ${where} to its networks, if it uses ${other}`;
    });
  });
}

/** Whether two services share a network. */
function meet(compose: Compose, one: string, two: string): boolean {
  const others = networksOf(compose, two);
  return networksOf(compose, one).some((each) => others.includes(each));
}

/** A service that names none is on `default`. */
function networksOf({ services }: Compose, name: string): readonly string[] {
  const networks = services.get(name)?.networks;
  return networks?.length === 0 ? ["default"] : (networks ?? []);
}
