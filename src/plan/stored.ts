import type { Disk } from "./disk.ts";
import { WITHOUT_BASE } from "./plan.ts";
import { storedFor } from "./state.ts";

/** What is stored below `.scaffold/`, by the path of the file that it is about. */
export function storedIn(disk: Disk): { base: Map<string, string>; offered: Map<string, string> } {
  const stored = { base: new Map<string, string>(), offered: new Map<string, string>() };
  for (const [path, { text }] of disk) {
    const found = storedFor(path);
    // An input has no base, whatever lies there.
    if (found === undefined || WITHOUT_BASE.has(found.path)) continue;
    // A base with the markers of a git conflict is no text that was ever generated.
    if (!(text.includes("<<<<<<< ") && /^<{7} /m.test(text))) stored[found.kind].set(found.path, text);
  }
  return stored;
}
