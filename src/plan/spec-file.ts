import { isSeq, stringify, type Document } from "yaml";

import { UserError, EXIT } from "../lib/errors.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { schemasFor, specFileOf, type Spec } from "../spec/schema.ts";
import { isMapping } from "../lib/mapping.ts";
import { parseYaml } from "../lib/yaml.ts";
import { yamlDocument } from "../lib/yaml-documents.ts";
import { holdsComments } from "../merge/comments.ts";
import { canonical } from "../merge/identity.ts";
import { mergeYaml } from "../merge/yaml.ts";

/**
 * `framework.yaml` brought from one spec to another by the same merge as every other file, so that comments and
 * layout stay.
 * @param text the file as it is, which parses to `before`
 * @param file its name for messages
 * @throws UserError exit 1 when the file's layout does not allow it
 */
export function editSpecFile(text: string, file: string, before: Spec, after: Spec, catalogue: Catalogue): string {
  if (canonical(before) === canonical(after)) return text;
  const holds = (edited: string): boolean => isSpec(edited, after, catalogue);
  const merged = mergeYaml(text, stringify(specFileOf(before)), stringify(specFileOf(after)));
  if ("text" in merged && holds(merged.text)) return merged.text;
  // A layout that cannot be spliced (aliases, merge keys): the YAML library writes it.
  const written = rewritten(text, before, after);
  if (written !== undefined && holds(written)) return written;
  throw new UserError(`${file} cannot be edited by a program as it is written`, {
    code: "invalid",
    exit: EXIT.failure,
    hint: "write the change into it by hand, then: npm run regenerate",
  });
}

/** The file as the YAML library writes it; undefined where it cannot, or where a comment would be lost. */
function rewritten(text: string, before: Spec, after: Spec): string | undefined {
  try {
    const doc = yamlDocument(text);
    assign(doc, [], specFileOf(before), specFileOf(after));
    const written = doc.toString({ lineWidth: 0 });
    return holdsComments(written, text, "", "", { base: [], theirs: [] }) ? written : undefined;
  } catch {
    // An alias or an anchor stands in the way.
    return undefined;
  }
}

/** Writes into a document what differs between two values at a path, and nothing else. */
function assign(doc: Document, path: readonly string[], before: unknown, after: unknown): void {
  if (canonical(before) === canonical(after)) return;
  if (isMapping(before) && isMapping(after)) {
    for (const key of Object.keys(before)) if (!(key in after)) doc.deleteIn([...path, key]);
    for (const [key, value] of Object.entries(after)) assign(doc, [...path, key], before[key], value);
    return;
  }
  const list = doc.getIn(path);
  if (isSeq(list) && Array.isArray(before) && Array.isArray(after) && startsWith(after, before)) {
    // With its comments; `[]` becomes lines of its own.
    list.flow = false;
    for (const item of after.slice(before.length)) list.add(doc.createNode(item));
  } else doc.setIn(path, doc.createNode(after));
}

function startsWith(list: readonly unknown[], start: readonly unknown[]): boolean {
  return canonical(list.slice(0, start.length)) === canonical(start);
}

function isSpec(text: string, wanted: Spec, catalogue: Catalogue): boolean {
  try {
    return canonical(parseYaml(text, "", schemasFor(catalogue).spec)) === canonical(wanted);
  } catch {
    return false;
  }
}
