import { yamlDocument } from "../lib/yaml-documents.ts";

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
  const doc = yamlDocument(text, { merge: true, logLevel: "error" });
  if (doc.errors.length > 0) return undefined;
  try {
    return doc.toJS({ maxAliasCount: 100 }) ?? {};
  } catch {
    // More aliases than any person writes.
    return undefined;
  }
}
