import { create, type CreateRequest } from "../src/flow/create.ts";
import { UserError } from "../src/lib/errors.ts";
import { memoryReport } from "../src/render/memory.ts";
import type { Output } from "../src/report/output.ts";
import { fileTree, portLines } from "../src/report/preview.ts";

/**
 * Shows what would be written: the tree, the ports, and the memory limits beside this machine's memory.
 * @param memory of this machine in bytes
 * @returns false when something is wrong with the request; that is said instead
 */
export async function showPreview(request: CreateRequest, memory: number, out: Output): Promise<boolean> {
  const { catalogue } = request.place;
  try {
    const { spec, change, notes } = await create({ ...request, dry: true });
    const paths = change.plan.actions.map((action) => action.path);
    out.line();
    for (const line of fileTree(spec.name, paths)) out.line(`  ${line}`);
    out.line();
    for (const line of portLines(spec, catalogue)) out.line(`  ${line}`);
    out.line();
    out.line(`  ${memoryReport(spec, catalogue, memory).line}`);
    for (const note of notes) out.note(note);
    out.line();
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    out.error(error.message, error.hint, []);
    return false;
  }
}
