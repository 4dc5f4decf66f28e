import type { Container } from "../catalogue/manifest.ts";
import { isBeyond } from "./images.ts";

type Limit = NonNullable<Container["upgrade"]>["limit"];

/** An `image:` as it is written. */
interface Written {
  /** What stands before and behind the reference: `${QDRANT_IMAGE:-` and `}`, or nothing. */
  before: string;
  after: string;
  repository: string;
  tag: string;
  /** `@sha256:…`, or nothing. */
  digest: string;
}

/**
 * Settles an image whose tag was bumped on both sides, by an update bot or a person and by the templates: the newer one
 * counts, written as the templates write it.
 * @param limit how far an upgrade of this image may go at once
 * @returns undefined when that is not certain: our side changed something else, or went back; tags that cannot be
 *   compared; or a step that is too large
 */
export function newerImage(ours: string, base: string, theirs: string, limit: Limit): string | undefined {
  const [mine, before, after] = [ours, base, theirs].map(written);
  if (mine === undefined || before === undefined || after === undefined) return undefined;
  // Our side may have changed the tag alone, to a newer one; theirs may have set a registry before the name.
  if (mine.before !== before.before || mine.after !== before.after || mine.repository !== before.repository)
    return undefined;
  const forward = compared(mine, before);
  if (forward === undefined || forward <= 0 || !isSameImage(after.repository, before.repository)) return undefined;
  const order = compared(mine, after);
  if (order === undefined) return undefined;
  const winner = order > 0 ? mine : after;
  // What runs is ours: theirs must be within its reach, and ours within the reach of what was generated.
  const from = winner === mine ? before : mine;
  return isBeyond(tagged(from), tagged(winner), limit)
    ? undefined
    : `${after.before}${after.repository}:${winner.tag}${winner.digest}${after.after}`;
}

/** By service, for a merge that asks about every value that both sides changed. */
export function imageSettler(
  containers: readonly Container[],
): (path: readonly string[], values: { ours: unknown; base: unknown; theirs: unknown }) => string | undefined {
  const limits = new Map(containers.map(({ name, upgrade }) => [name, upgrade?.limit]));
  return ([top, service = "", key, ...more], { ours, base, theirs }) => {
    if (top !== "services" || key !== "image" || more.length > 0) return undefined;
    if (typeof ours !== "string" || typeof base !== "string" || typeof theirs !== "string") return undefined;
    return newerImage(ours, base, theirs, limits.get(service));
  };
}

function written(image: string): Written | undefined {
  const [, before = "", reference = image, after = ""] = /^(\$\{[A-Z0-9_]+:-)(.*)(\})$/.exec(image) ?? [];
  // Until version 0.1.0, the registry was a variable inside the default.
  const plain = reference.replace(/^\$\{IMAGE_REGISTRY:-\}/, "");
  const [, repository, tag, digest = ""] =
    /^([a-z0-9][a-z0-9._/:-]*?):([\w][\w.-]*)(@sha256:[0-9a-f]{64})?$/.exec(plain) ?? [];
  return repository === undefined || tag === undefined ? undefined : { before, after, repository, tag, digest };
}

function isSameImage(a: string, b: string): boolean {
  return a === b || a.endsWith(`/${b}`) || b.endsWith(`/${a}`);
}

function tagged({ repository, tag }: Written): string {
  return `${repository}:${tag}`;
}

/** Which of two is newer: above zero, the first. Undefined where their tags have another form or suffix. */
function compared(a: Written, b: Written): number | undefined {
  const [one, two] = [a, b].map(({ tag }) => /^(v?)(\d+(?:\.\d+)*)(.*)$/.exec(tag));
  if (one === undefined || two === undefined || one === null || two === null) return undefined;
  if (one[1] !== two[1] || one[3] !== two[3]) return undefined;
  const [mine, others] = [one[2] ?? "", two[2] ?? ""].map((version) => version.split(".").map(Number)) as [
    number[],
    number[],
  ];
  // `15` moves and `15.4` does not: neither is the newer one.
  if (mine.length !== others.length) return undefined;
  const at = mine.findIndex((part, index) => part !== others[index]);
  if (at !== -1) return (mine[at] ?? 0) - (others[at] ?? 0);
  // One version: the one with a digest says more; two digests of it cannot be told apart.
  if (a.digest !== "" && b.digest !== "" && a.digest !== b.digest) return undefined;
  return a.digest.length - b.digest.length;
}
