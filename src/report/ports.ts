import type { FixPortsResult } from "../flow/fix-ports.ts";
import type { ListPortsResult } from "../flow/list-ports.ts";
import { EXIT, problemLines, UserError } from "../lib/errors.ts";
import { describeHolder } from "../ports/claim.ts";
import { PORT_TABLE_FILE } from "../render/port-table.ts";
import { applyLine, DRY_RUN, showChange, type View } from "./changes.ts";
import { formatTable } from "./table.ts";
import { styled } from "./output.ts";

/** The allocation table. */
export function showPorts({ rows, clashes, errors, notes }: ListPortsResult, { out }: View): void {
  for (const note of notes) out.note(note);
  const ports = rows.map(({ claim, state }) => {
    const { framework, service, variable, protocol, address, port, source } = claim;
    return { framework, service, variable, protocol, address, port, source, state };
  });
  out.document({ schemaVersion: 1, ports });
  if (ports.length === 0) out.line("No framework publishes a port yet. Make one: npm run new-framework");
  else {
    const lines = formatTable(
      ["PORT", "FRAMEWORK", "SERVICE", "ADDRESS", "SOURCE", "STATE"],
      ports.map((row) => [
        `${String(row.port)}/${row.protocol}`,
        row.framework === "" ? "-" : row.framework,
        row.service,
        row.address,
        row.source,
        row.state,
      ]),
    );
    for (const [index, line] of lines.entries()) out.line(index === 0 ? styled(line, "bold") : line);
  }
  for (const clash of clashes) {
    const [first] = clash;
    if (first !== undefined)
      out.note(
        `warning: port ${String(first.port)}/${first.protocol} has ${String(clash.length)} holders: ${clash.map(describeHolder).join(", ")}`,
      );
  }
  // The first is thrown: it decides the exit code.
  for (const error of errors.slice(1)) out.error(error.message, error.hint, problemLines(error.details));
}

/**
 * What is wrong with the ports of a root, worst first.
 * @param canFix whether `--fix` is still to be suggested
 */
export function portsError(
  { clashes, shared, table }: ListPortsResult,
  shown: string,
  canFix: boolean,
): UserError | undefined {
  const [clash] = clashes;
  const [first] = clash ?? [];
  if (clash !== undefined && first !== undefined) {
    return new UserError(
      `port ${String(first.port)} has more than one holder: ${clash.map(describeHolder).join(", ")}`,
      {
        code: "port-clash",
        exit: EXIT.portClash,
        hint:
          canFix && clash.some((claim) => claim.source === "spec")
            ? "npm run ports -- --fix gives one of them another port"
            : "change the port in the file that is named; --fix does not edit .env or other people's files",
      },
    );
  }
  const [name] = shared;
  if (name !== undefined) {
    return new UserError(name, {
      code: "name-clash",
      exit: EXIT.failure,
      hint: "a copied directory needs new secrets as well: make it with npm run new-framework instead",
    });
  }
  if (table === "current") return undefined;
  return new UserError(`${shown}/${PORT_TABLE_FILE} is ${table === "missing" ? "missing" : "out of date"}`, {
    code: "drift",
    exit: EXIT.drift,
    hint: "npm run ports -- --fix rewrites it",
  });
}

/** What `--fix` came to. */
export async function showFixedPorts(result: FixPortsResult, view: View): Promise<void> {
  const { out, shown } = view;
  if (!result.written && result.tableChanged) out.line(`${PORT_TABLE_FILE} would be rewritten`);
  const plans = result.changes.map(({ plan }) => ({ framework: plan.framework, actions: [...plan.actions] }));
  out.document({ schemaVersion: 1, plans });
  for (const change of result.changes) {
    for (const { folder, service, from, to } of result.moves)
      if (folder === change.folder) out.line(`${folder}: ${service} moves from ${String(from)} to ${String(to)}`);
    await showChange(change, view);
  }
  for (const note of result.notes) out.note(note);
  if (!result.written) {
    out.line(DRY_RUN);
    return;
  }
  for (const change of result.changes) {
    const line = applyLine(change, shown);
    if (line !== undefined) out.line(line);
  }
}
