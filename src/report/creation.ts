import type { Catalogue } from "../catalogue/catalogue.ts";
import type { CreateResult } from "../flow/create.ts";
import { isExternal } from "../spec/schema.ts";
import { DRY_RUN, planDocumentOf, type View } from "./changes.ts";
import { styled } from "./output.ts";
import { planLines, portLines } from "./preview.ts";
import { quotedForShell } from "../lib/shell.ts";

/** What making a framework came to. */
export async function showCreation(result: CreateResult, catalogue: Catalogue, view: View): Promise<void> {
  const { out, shown, diff } = view;
  const { change, spec } = result;
  for (const note of result.notes) out.note(note);
  out.document(planDocumentOf(change.folder, change.plan.actions));
  if (out.json) return;
  const ports = portLines(spec, catalogue).map((line) => `  ${line}`);
  if (!result.written) {
    if (diff) {
      const { showDiff } = await import("./diff.ts");
      showDiff(change.plan, change.disk, change, out);
    } else for (const line of [...planLines(change.plan.actions), "", ...ports]) out.line(line);
    out.line(DRY_RUN);
    return;
  }
  const dir = `${shown}/${change.folder}`;
  const count = change.plan.actions.length;
  const files = result.wasFinished ? "" : ` (${String(count)} files)`;
  out.line(styled("Created", "green"), " ", styled(dir, "bold"), files);
  if (ports.length > 0) out.line();
  for (const line of ports) out.line(line);
  out.line();
  out.line("Next:");
  out.line(`  cd ${quotedForShell(dir)}`);
  for (const { id, external } of catalogue.services.values())
    if (external?.next !== undefined && isExternal(spec, id)) out.line(`  # ${external.next}`);
  if (spec.images === "digest") {
    out.line("  docker compose pull");
    out.line(`  # in the project: npm run regenerate -- ${quotedForShell(change.folder)} --digests`);
  }
  out.line("  docker compose up -d --wait");
}
