import { stringify } from "yaml";

import { UserError, EXIT } from "../lib/errors.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { schemasFor, specFileOf, type Spec } from "../spec/schema.ts";
import { parseYaml } from "../lib/yaml.ts";
import { yamlDocument } from "../lib/yaml-documents.ts";
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
  // A layout that cannot be spliced (aliases, merge keys): the YAML library writes it, comments stay.
  const doc = yamlDocument(text);
  for (const id of Object.keys(before.services)) if (!(id in after.services)) doc.deleteIn(["services", id]);
  for (const [id, service] of Object.entries(after.services)) {
    if (!(id in before.services)) doc.setIn(["services", id], doc.createNode(service));
    else if (canonical(before.services[id]) !== canonical(service)) {
      for (const [key, value] of Object.entries(service)) doc.setIn(["services", id, key], value);
    }
  }
  const written = doc.toString({ lineWidth: 0 });
  if (holds(written)) return written;
  throw new UserError(`${file} cannot be edited by a program as it is written`, {
    code: "invalid",
    exit: EXIT.failure,
    hint: "change its services by hand, then: npm run regenerate",
  });
}

function isSpec(text: string, wanted: Spec, catalogue: Catalogue): boolean {
  try {
    return canonical(parseYaml(text, "", schemasFor(catalogue).spec)) === canonical(wanted);
  } catch {
    return false;
  }
}
