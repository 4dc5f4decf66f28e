import { quotedForShell } from "../lib/shell.ts";
import type { RemoveFrameworkResult } from "../flow/remove-framework.ts";
import { DRY_RUN, planDocumentOf, type View } from "./changes.ts";
import { styled } from "./output.ts";
import { planLines } from "./preview.ts";

/** What removing a framework came to. */
export function showRemoval(result: RemoveFrameworkResult, { out, shown }: View): void {
  const { folder, plan } = result.change;
  for (const note of result.notes) out.note(note);
  out.document(planDocumentOf(folder, plan.actions));
  out.line(styled(`${shown}/${folder}`, "bold"), ":");
  for (const line of planLines(plan.actions)) out.line(`  ${line}`);
  if (!result.written) {
    out.line(DRY_RUN);
    return;
  }
  if (result.remaining.length > 0) {
    out.line();
    out.line(`What stays in ${shown}/${folder}: ${result.remaining.join(", ")}`);
  }
  const { names, isKnown } = result.volumes;
  if (names.length === 0) return;
  out.line();
  out.line(
    isKnown
      ? "No volume was deleted. These remain, with their data:"
      : "No volume was deleted. No engine answers; these may remain, with their data:",
  );
  for (const name of names) out.line(`  ${name}`);
  out.line(`To delete them for good: docker volume rm ${names.map(quotedForShell).join(" ")}`);
  out.line(
    result.purged
      ? "The secrets are gone: without a copy of them, nobody can open that data."
      : "Keep .env for as long as you want to open that data.",
  );
}
