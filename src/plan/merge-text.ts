import { diff3Merge } from "node-diff3";

/**
 * Three-way merge of a text, line by line.
 * @returns the merged text, or undefined when both sides changed the same place in different ways
 */
export function mergeText(ours: string, base: string, theirs: string): string | undefined {
  const regions = diff3Merge(ours.split("\n"), base.split("\n"), theirs.split("\n"), { excludeFalseConflicts: true });
  const lines: string[] = [];
  for (const region of regions) {
    if (region.ok === undefined) return undefined;
    lines.push(...region.ok);
  }
  return lines.join("\n");
}
