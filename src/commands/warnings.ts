import { isUnfinished } from "../apply/transaction.ts";
import type { Root } from "../probe/root.ts";
import type { Output } from "../report/output.ts";

/** Says what is wrong with a root that a command only reads; what was interrupted is a writing command's to finish. */
export function warnAbout(root: Root, out: Output): void {
  for (const warning of root.warnings) out.note(`warning: ${warning}`);
  for (const framework of root.frameworks) {
    if (!isUnfinished(framework.dir)) continue;
    out.note(
      `warning: a change of ${framework.folder} was interrupted; the next command that writes finishes or undoes it`,
    );
  }
}
