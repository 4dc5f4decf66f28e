import { totalmem } from "node:os";

import { UserError } from "../src/errors.ts";
import { prepareNew, type Place } from "../src/pipeline.ts";
import type { Output } from "../src/report/output.ts";
import { fileTree, memoryReport, portLines } from "../src/report/preview.ts";
import type { Request } from "../src/spec/schema.ts";

/**
 * Shows what would be written: the tree, the ports, and the memory limits beside this machine's memory.
 * @returns false when something is wrong with the request; that is said instead
 */
export async function showPreview(request: Request, place: Place, out: Output): Promise<boolean> {
  try {
    const { spec, plan, notes } = await prepareNew(request, place);
    const paths = plan.actions.map((action) => action.path);
    out.line();
    for (const line of fileTree(spec.name, paths)) out.line(`  ${line}`);
    out.line();
    for (const line of portLines(spec, place.catalogue)) out.line(`  ${line}`);
    out.line();
    out.line(`  ${memoryReport(spec, place.catalogue, totalmem()).line}`);
    for (const note of notes) out.note(note);
    out.line();
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    out.error(error.message, error.hint, []);
    return false;
  }
}
