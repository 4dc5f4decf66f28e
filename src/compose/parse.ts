import { yamlValue } from "../lib/yaml-documents.ts";

import { composeModel, type Compose } from "./model.ts";

/**
 * Reads a Compose file of anybody: merge keys and a sane number of aliases are allowed.
 * @returns undefined when it is not valid YAML, or no mapping
 */
export function parseCompose(text: string): Compose | undefined {
  const doc = parseComposeYaml(text);
  return doc === undefined ? undefined : composeModel(doc);
}

/** The same as plain values. @returns undefined when it is not valid YAML */
export function parseComposeYaml(text: string): unknown {
  const value = yamlValue(text);
  return value === null ? {} : value;
}
