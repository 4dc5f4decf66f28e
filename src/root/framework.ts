import type { Catalogue } from "../catalogue/catalogue.ts";
import { underscored } from "../catalogue/names.ts";
import type { Spec } from "../spec/schema.ts";

export const SPEC_FILE = "framework.yaml";

/** One framework directory as it is on disk. */
export interface Framework {
  name: string;
  /** Its directory below the root: the name, unless somebody renamed or copied it. */
  folder: string;
  /** Absolute path. */
  dir: string;
  spec: Spec;
  specText: string;
  /** Undefined when there is no `.env`, or it may not be read. */
  envText: string | undefined;
  env: ReadonlyMap<string, string>;
}

/** The name its containers, volumes and networks really have: `.env` may say another than the spec. */
export function effectiveName(framework: Framework): string {
  const written = framework.env.get("FRAMEWORK_NAME") ?? "";
  return written === "" ? underscored(framework.name) : written;
}

/** The name under which Compose runs a framework's stack. */
export function projectOf(framework: Framework): string {
  const own = framework.env.get("COMPOSE_PROJECT_NAME") ?? "";
  return own === "" ? effectiveName(framework) : own;
}

/** Names of the volumes that a set of services has, as the engine knows them. */
export function volumesOf(framework: Framework, ids: readonly string[], catalogue: Catalogue): string[] {
  const name = effectiveName(framework);
  return ids.flatMap((id) => (catalogue.services.get(id)?.volumes ?? []).map((volume) => `${name}_${volume.name}`));
}
