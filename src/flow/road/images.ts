import type { Catalogue } from "../../catalogue/catalogue.ts";
import type { Container } from "../../catalogue/manifest.ts";
import { engineDigests } from "../../host/engine.ts";
import { EXIT, UserError } from "../../lib/errors.ts";
import { quotedForShell } from "../../lib/shell.ts";
import type { Framework } from "../../root/framework.ts";
import { imageFor, lacksDigest } from "../../spec/images.ts";
import { registryProblem, type Spec } from "../../spec/schema.ts";

/** The variable in which version 0.1.0 had the registry mirror; it is a key of framework.yaml now. */
export const FORMER_REGISTRY = "IMAGE_REGISTRY";

interface Moved {
  spec: Spec;
  notes: readonly string[];
}

/**
 * A registry mirror that `.env` still sets becomes the spec's: in the default of an image there is no place for a second
 * variable that update bots could read.
 */
export function withRegistryOfEnv({ env, folder }: Framework, spec: Spec): Moved {
  const written = env.get(FORMER_REGISTRY) ?? "";
  const registry = written.replace(/\/+$/, "");
  if (registry === "" || registry === spec.registry) return { spec, notes: [] };
  if (spec.registry !== undefined) {
    return {
      spec,
      notes: [
        `warning: ${FORMER_REGISTRY} in ${folder}/.env has no effect any more: images come from ${spec.registry}, the registry of framework.yaml; delete the line`,
      ],
    };
  }
  const problem = registryProblem(registry);
  if (problem !== undefined) {
    return {
      spec,
      notes: [`warning: ${FORMER_REGISTRY} in .env has no effect any more, and it is not ${problem}: set registry`],
    };
  }
  return {
    spec: { ...spec, registry },
    notes: [`${FORMER_REGISTRY} of ${folder}/.env is now registry: ${registry} in framework.yaml, for every host`],
  };
}

/**
 * A spec with the digests that this host's engine has of the pinned images.
 * @throws UserError exit 1 when no engine answers
 */
export function withEngineDigests(spec: Spec, catalogue: Catalogue): Moved {
  if (spec.images !== "digest")
    return { spec, notes: ["no digest is recorded: framework.yaml does not say images: digest"] };
  const digests = { ...spec.digests };
  const missing: string[] = [];
  for (const container of ownImages(spec, catalogue)) {
    const reference = imageFor(container, { ...spec, images: "pinned" });
    const found = engineDigests(reference);
    if (found === undefined) throw noEngine();
    const [digest] = found;
    if (digest === undefined) missing.push(reference);
    else digests[container.name] = `${container.image?.pinned ?? ""}@${digest}`;
  }
  const changed = Object.entries(digests).filter(([name, digest]) => spec.digests?.[name] !== digest);
  return {
    spec: changed.length === 0 ? spec : { ...spec, digests },
    notes: [
      ...(changed.length === 0 ? [] : [`digests recorded: ${changed.map(([name]) => name).join(", ")}`]),
      ...missing.map(
        (reference) =>
          `warning: ${reference} is not on this engine: docker pull ${quotedForShell(reference)}, then run this again`,
      ),
    ],
  };
}

/** What to say of images that `images: digest` does not tie to a digest yet. */
export function digestNotes(spec: Spec, catalogue: Catalogue, shown: string): string[] {
  const open = ownImages(spec, catalogue).filter((container) => lacksDigest(container, spec));
  if (open.length === 0) return [];
  return [
    `warning: no digest is recorded for the image of ${open.map(({ name }) => name).join(", ")}, so its tag counts: in ${shown}, docker compose pull; then npm run regenerate -- ${quotedForShell(spec.name)} --digests`,
  ];
}

function ownImages(spec: Spec, { services }: Catalogue): Container[] {
  const containers = Object.keys(spec.services).flatMap((id) => services.get(id)?.containers ?? []);
  return containers.filter(({ image }) => image !== undefined);
}

function noEngine(): UserError {
  return new UserError("no container engine answers, so no digest can be recorded", {
    code: "no-engine",
    exit: EXIT.failure,
    hint: "start it (docker info says what is wrong), then run the command again",
  });
}
