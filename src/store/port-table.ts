import { lstatSync } from "node:fs";
import { join } from "node:path";

import { textOf } from "../host/files.ts";
import { EXIT, UserError } from "../lib/errors.ts";
import { PORT_TABLE_FILE } from "../render/port-table.ts";

/**
 * The text of a root's port table, without the carriage returns that git may have put into it.
 * @returns undefined when there is none
 * @throws UserError exit 1 when something that is not a file is in its place
 */
export function readPortTable(root: string, shown: string): string | undefined {
  const path = join(root, PORT_TABLE_FILE);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isFile()) {
    throw new UserError(
      `${PORT_TABLE_FILE} ${found.isSymbolicLink() ? "leads somewhere else through a link" : "is not a file"}; nothing was written`,
      { code: "not-a-file", exit: EXIT.failure, hint: "move it away: the port table is written there" },
    );
  }
  return textOf(path, `${shown}/${PORT_TABLE_FILE}`, "refused")?.replaceAll("\r\n", "\n");
}
