import type { Catalogue } from "../catalogue/catalogue.ts";
import { CHOSEN, RESOLVED, type Action } from "../plan/plan.ts";
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

/** What a plan does, for people: one line for each action that is not `keep`. */
export function planLines(actions: readonly Action[]): string[] {
  const changes = actions.filter(({ action, reason }) => action !== "keep" || reason === RESOLVED || reason === CHOSEN);
  if (changes.length === 0) return ["nothing to do"];
  return changes.map(
    (action) =>
      `${action.action.padEnd(8)}  ${action.path}${action.reason === "new framework" ? "" : `  (${action.reason})`}`,
  );
}
