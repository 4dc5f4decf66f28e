import { quotedForShell } from "../lib/shell.ts";
import type { ServiceChange } from "../flow/service.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { applyLine, DRY_RUN, planDocumentOf, showChange, type View } from "./changes.ts";
import { styled } from "./output.ts";
import { portLines } from "./preview.ts";

/** What adding or removing a service came to. */
export async function showService(result: ServiceChange, catalogue: Catalogue, view: View): Promise<void> {
  const { out, shown } = view;
  const { change, folder } = result;
  for (const note of result.notes) out.note(note);
  out.document(planDocumentOf(folder, change?.plan.actions ?? []));
  if (change === undefined) out.line(`${shown}/${folder} ${result.reason}; nothing to do`);
  else {
    out.line(styled(`${shown}/${folder}`, "bold"), ":");
    await showChange(change, view);
    for (const line of portLines({ ...change.spec, services: result.added }, catalogue)) out.line(`  ${line}`);
    for (const line of volumeLines(result.volumes)) out.line(line);
  }
  if (!result.written) out.line(DRY_RUN);
  const apply = change === undefined || !result.written ? undefined : applyLine(change, shown, result);
  if (apply !== undefined) out.line(apply);
}

function volumeLines(volumes: readonly string[]): string[] {
  if (volumes.length === 0) return [];
  return [
    "No volume was deleted. These remain, with their data:",
    ...volumes.map((name) => `  ${name}`),
    `To delete them for good, once their containers are gone: docker volume rm ${volumes.map(quotedForShell).join(" ")}`,
    "The secrets stay in .env: with them, adding the service again opens that data.",
  ];
}
