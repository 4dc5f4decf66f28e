import type { Catalogue } from "../catalogue/catalogue.ts";
import { CHOSEN, SETTLED, type Action } from "../plan/plan.ts";
import { formatMebibytes, totalMemory } from "../render/context.ts";
import type { Spec } from "../spec/schema.ts";
import { formatTable } from "./table.ts";

/** The files of a plan as an indented tree, directories first named once. */
export function fileTree(name: string, paths: readonly string[]): string[] {
  const lines = [`${name}/`];
  const seen = new Set<string>();
  for (const path of paths.toSorted()) {
    const parts = path.split("/");
    for (const [depth, part] of parts.entries()) {
      const key = parts.slice(0, depth + 1).join("/");
      if (seen.has(key)) continue;
      seen.add(key);
      lines.push(`${"  ".repeat(depth + 1)}${part}${depth < parts.length - 1 ? "/" : ""}`);
    }
  }
  return lines;
}

/** One line for each published port: service and how to reach it. */
export function portLines(spec: Spec, catalogue: Catalogue): string[] {
  const rows = Object.entries(spec.services).flatMap(([id, service]) => {
    const published = catalogue.services.get(id)?.port;
    return published === undefined || service.port === undefined
      ? []
      : [[id, published.url.replaceAll("{{port}}", String(service.port))]];
  });
  return formatTable(["", ""], rows).slice(1);
}

export interface MemoryReport {
  line: string;
  /** Set when the limits exceed what this machine has. */
  warning: string | undefined;
}

/**
 * Memory limits in total beside the machine's memory.
 * @param machine bytes
 * @param others specs of the frameworks that are there already
 */
export function memoryReport(
  spec: Spec,
  catalogue: Catalogue,
  machine: number,
  others: readonly Spec[] = [],
): MemoryReport {
  const total = totalMemory(spec, catalogue);
  const together = others.reduce((sum, other) => sum + totalMemory(other, catalogue), total);
  const available = Math.floor(machine / 1024 / 1024);
  const size = formatMebibytes(available);
  const line = `memory limits ${formatMebibytes(total)} in total (profile ${spec.profile}); this machine has ${size}`;
  if (total > available) {
    const warning = `warning: the limits of this stack (${formatMebibytes(total)}) exceed this machine's memory (${size}): take a smaller profile or fewer services`;
    return { line, warning };
  }
  if (together > available) {
    const warning = `warning: limits of all ${String(others.length + 1)} frameworks here add up to ${formatMebibytes(together)}, and this machine has ${size}: they may not all run at once`;
    return { line, warning };
  }
  return { line, warning: undefined };
}

/** What a plan does, for people: one line for each action that is not `keep`. */
export function planLines(actions: readonly Action[]): string[] {
  const changes = actions.filter(({ action, reason }) => action !== "keep" || reason === SETTLED || reason === CHOSEN);
  if (changes.length === 0) return ["nothing to do"];
  return changes.map(
    (action) =>
      `${action.action.padEnd(8)}  ${action.path}${action.reason === "new framework" ? "" : `  (${action.reason})`}`,
  );
}

/** A path as it can be pasted into a shell. */
export function quotedForShell(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
