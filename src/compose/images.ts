import { EXIT, UserError, type Problem } from "../lib/errors.ts";
import type { Container } from "../catalogue/manifest.ts";
import { interpolate } from "../env/interpolate.ts";
import { parseCompose } from "./parse.ts";
import { scanImages } from "./scan.ts";

interface ImageChange {
  container: Container;
  from: string;
  to: string;
}

/**
 * What an update of compose.yaml does to the images that really run, with what `.env` says.
 * @param containers those of the catalogue
 * @returns notes for the person
 * @throws UserError exit 1 when a data store would be started in a version that cannot read its data
 */
export function judgeImages(
  before: string,
  after: string,
  env: ReadonlyMap<string, string>,
  containers: readonly Container[],
): string[] {
  const changes = imageChanges(before, after, env, containers);
  const refused = changes.filter(({ from, to, container }) => isBeyond(from, to, container.upgrade?.limit));
  const [first] = refused;
  if (first !== undefined) {
    const details = refused.map(({ container, from, to }): Problem => ({
      key: container.name,
      message: `its image would go from ${from} to ${to}, and the data would not follow. ${container.upgrade?.help ?? ""}`,
    }));
    const { container, from, to } = first;
    throw new UserError(
      refused.length === 1
        ? `${container.name}: ${details[0]?.message ?? ""}`
        : `${String(refused.length)} data stores would be started in a version that cannot read their data`,
      {
        code: "image-upgrade",
        exit: EXIT.failure,
        hint: `to stay: ${container.variable}_IMAGE=${from} in .env; once the data is ready for it, or where there is none yet: ${container.variable}_IMAGE=${to}; then run this again`,
        details,
      },
    );
  }
  return changes.map(({ container, from, to }) => {
    const unknown =
      container.upgrade?.limit !== undefined && (versionOf(from) === undefined || versionOf(to) === undefined);
    const doubt = unknown ? " These two cannot be compared by their tags: check before you start it." : "";
    const help = container.upgrade !== undefined && (unknown || isStep(from, to, container.upgrade.limit));
    return `${container.name}: image ${from} -> ${to}.${doubt}${help ? ` ${container.upgrade?.help ?? ""}` : ""}`;
  });
}

function imageChanges(
  before: string,
  after: string,
  env: ReadonlyMap<string, string>,
  containers: readonly Container[],
): ImageChange[] {
  if (before === after) return [];
  const [old, next] = [before, after].map((text) => imagesOf(text, env));
  return containers.flatMap((container): ImageChange[] => {
    const [from, to] = [old?.get(container.name), next?.get(container.name)];
    return from === undefined || to === undefined || from === to ? [] : [{ container, from, to }];
  });
}

function imagesOf(text: string, env: ReadonlyMap<string, string>): Map<string, string> {
  const named = scanImages(text) ?? parsedImages(text);
  return new Map([...named].map(([name, image]) => [name, interpolate(image, (variable) => env.get(variable))]));
}

function parsedImages(text: string): Map<string, string> {
  const services = parseCompose(text)?.services.values() ?? [];
  return new Map([...services].flatMap(({ name, image }) => (image === undefined ? [] : [[name, image]])));
}

type Limit = NonNullable<Container["upgrade"]>["limit"];

/** Whether a change of image goes further than its data can follow. */
export function isBeyond(from: string, to: string, limit: Limit): boolean {
  const [old, next] = [versionOf(from), versionOf(to)];
  if (limit === undefined || old === undefined || next === undefined) return false;
  if (old.major !== next.major) return true;
  if (limit === "same-major") return false;
  return next.minor < old.minor || next.minor > old.minor + 1;
}

/** Whether a change within the limit is still one that its help is about. */
function isStep(from: string, to: string, limit: Limit): boolean {
  if (limit === undefined) return true;
  return limit === "one-minor" && versionOf(from)?.minor !== versionOf(to)?.minor;
}

/** Major and minor version in an image's tag: `v1.19.0-unprivileged`, `15-alpine`; undefined for `latest` and digests. */
function versionOf(image: string): { major: number; minor: number } | undefined {
  const tag = /:(?<tag>[^:/]+)$/.exec(image.replace(/@.*$/, ""))?.groups?.["tag"] ?? "";
  const [, major, minor] = /^v?(\d+)(?:\.(\d+))?/.exec(tag) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor ?? 0) };
}
