import { commonEnvSchema, manifestSchema, presetSchema } from "../src/catalogue/manifest.ts";
import { parseYaml } from "../src/lib/yaml.ts";

export { loadCatalogue, templatesDigest } from "../src/catalogue/load.ts";
export { COMPILE_OPTIONS } from "../src/render/engine.ts";

/** Parses and checks one catalogue file, by its kind. */
export const checkers = {
  service: (text: string, path: string): unknown => parseYaml(text, path, manifestSchema),
  preset: (text: string, path: string): unknown => parseYaml(text, path, presetSchema),
  common: (text: string, path: string): unknown => parseYaml(text, path, commonEnvSchema),
};
