import { isComposeFile } from "../compose/file.ts";
import { brokenBy } from "../compose/whole.ts";
import { assignments, mergeEnvTemplate } from "./env-template.ts";
import { mergeText } from "./lines.ts";
import type { Settle } from "./values.ts";
import { mergeYaml, type Outcome } from "./yaml.ts";

/**
 * Merges what changed from `base` to `theirs` into `ours`, by the format of the file: YAML by structure,
 * `.env.template` by variable, the rest line by line. Pure.
 * @param path of the file inside the framework's directory
 * @param settle asked about each value of a Compose file that both sides changed
 * @param prefer `theirs`: for texts that no person wrote; where both changed the same place, theirs is taken
 */
export function mergeFile(
  path: string,
  ours: string,
  base: string,
  theirs: string,
  prefer?: "theirs",
  settle?: Settle,
): Outcome {
  if (/\.ya?ml$/.test(path)) {
    const isCompose = isComposeFile(path.slice(path.lastIndexOf("/") + 1));
    const merged = mergeYaml(ours, base, theirs, prefer, isCompose && prefer === undefined ? settle : undefined);
    if ("conflicts" in merged || prefer !== undefined || !isCompose) return merged;
    const broken = brokenBy(merged.before, merged.after);
    return broken.length === 0 ? merged : { conflicts: broken };
  }
  const keyed = path.endsWith(".env.template") ? mergeEnvTemplate(ours, base, theirs, prefer) : undefined;
  if (keyed !== undefined) return keyed;
  const text = mergeText(ours, base, theirs, prefer);
  if (text === undefined) return { conflicts: ["the same lines were changed on both sides"] };
  const twice = path.endsWith(".env.template") ? assignedTwice(text, ours, theirs) : [];
  return twice.length === 0 ? { text } : { conflicts: twice };
}

/** Variables that the merged text would assign more often than either side does. */
function assignedTwice(text: string, ours: string, theirs: string): string[] {
  const [merged, mine, other] = [text, ours, theirs].map(assignments);
  return [...(merged ?? [])]
    .filter(([key, count]) => count > Math.max(mine?.get(key) ?? 0, other?.get(key) ?? 0))
    .map(([key]) => key);
}
