import type { Container } from "../catalogue/manifest.ts";
import type { Spec } from "./schema.ts";

/** What a spec says about images. */
export type ImageChoice = Pick<Spec, "images" | "registry" | "digests">;

/**
 * The reference that a container's image has by default, with the registry mirror before it. With `images: digest`, it
 * is the pinned one with the digest that was recorded for it: a digest of another version does not count.
 * @throws Error for a container without an image of its own
 */
export function imageFor(container: Container, choice: ImageChoice): string {
  const { image, name } = container;
  if (image === undefined) throw new Error(`container ${name} has no image of its own`);
  const prefix = choice.registry === undefined ? "" : `${choice.registry}/`;
  if (choice.images !== "digest") return `${prefix}${image[choice.images]}`;
  const recorded = choice.digests?.[name];
  return `${prefix}${recorded?.startsWith(`${image.pinned}@`) === true ? recorded : image.pinned}`;
}

/** Whether `images: digest` is chosen and no digest of a container's pinned image is recorded. */
export function lacksDigest(container: Container, choice: ImageChoice): boolean {
  return choice.images === "digest" && container.image !== undefined && !imageFor(container, choice).includes("@");
}

/** What tells one choice from another, for what is made once for each. */
export function imageKey(container: Container, choice: ImageChoice): string {
  return container.image === undefined ? "" : imageFor(container, choice);
}
