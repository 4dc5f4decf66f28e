import { existsSync } from "node:fs";
import { join } from "node:path";

import { EXIT, UserError, usageError, type ExitCode } from "../errors.ts";
import { describeHolder } from "../ports/claim.ts";
import { portState, type PortState } from "../probe/listening.ts";
import { readRoot, type Root } from "../probe/root.ts";
import { PORT_TABLE_FILE } from "../report/port-allocation.ts";
import { formatTable } from "../report/table.ts";
import { isTableCurrent } from "../write.ts";
import { refuseConflicts } from "./change-report.ts";
import { flagSet, openPlace, requireRoot, type Context } from "./context.ts";
import { warnAbout } from "./warnings.ts";

export const help = `Usage: npm run ports -- [flags]
       framework-infra ports [flags]

Shows who holds which host port, and whether something listens there on this host.

  --check          exit 3 when two hold one port, 1 when two stacks share a name, 5 when PORT_ALLOCATION.md is out of date
  --fix            give one of two holders of a port another one, and bring PORT_ALLOCATION.md up to date
  --dry-run        with --fix: show what would change, write nothing
  --root DIR       where frameworks live (default frameworks)
  --templates DIR  use these templates instead of the built-in ones
  --json           print the table as JSON

"source" says where a port comes from: spec (framework.yaml), env (.env overrides it) or
foreign (a compose file that is not ours, or a service that was added by hand).

Examples:
  npm run ports
  npm run ports -- --check
  npm run ports -- --fix --dry-run
  npm run ports -- --json
`;

export async function run(context: Context): Promise<ExitCode> {
  const { out } = context;
  const [unexpected] = context.flags.positionals;
  if (unexpected !== undefined) throw usageError(`unexpected argument "${unexpected}"`, "see npm run ports -- --help");
  const check = flagSet(context, "check");
  const fix = flagSet(context, "fix");
  if (check && fix) throw usageError("--check and --fix exclude each other", "--check reports, --fix mends");
  const place = await openPlace(context);
  requireRoot(context, place);
  if (fix) {
    const { fixPorts } = await import("./ports-fix.ts");
    const dryRun = flagSet(context, "dry-run") || flagSet(context, "diff");
    const conflicts = await fixPorts(context, place, dryRun);
    if (dryRun) {
      out.line("Nothing was written (dry run).");
      return EXIT.ok;
    }
    refuseConflicts(conflicts);
  }
  const root = await readRoot(place.root, place.shown, place.catalogue);
  warnAbout(root, out);
  await printTable(context, root);
  for (const clash of root.claims.clashes()) {
    const [first] = clash;
    if (first !== undefined)
      out.note(
        `warning: port ${String(first.port)}/${first.protocol} has ${String(clash.length)} holders: ${clash.map(describeHolder).join(", ")}`,
      );
  }
  return check || fix ? verdict(root, place, check) : EXIT.ok;
}

async function printTable({ out }: Context, root: Root): Promise<void> {
  const claims = root.allClaims
    .filter((claim) => !claim.shadowed)
    .toSorted((a, b) => a.port - b.port || (a.framework < b.framework ? -1 : 1));
  const states = new Map<string, PortState>();
  for (const claim of claims) {
    const key = `${claim.protocol}/${String(claim.port)}`;
    if (!states.has(key)) states.set(key, await portState(claim.protocol, claim.port));
  }
  const rows = claims.map(({ framework, service, variable, protocol, address, port, source }) => ({
    framework,
    service,
    variable,
    protocol,
    address,
    port,
    source,
    state: states.get(`${protocol}/${String(port)}`) ?? "unknown",
  }));
  out.document({ schemaVersion: 1, ports: rows });
  if (rows.length === 0) {
    out.line("No framework publishes a port yet. Make one: npm run new-framework");
    return;
  }
  const lines = formatTable(
    ["PORT", "FRAMEWORK", "SERVICE", "ADDRESS", "SOURCE", "STATE"],
    rows.map((row) => [
      `${String(row.port)}/${row.protocol}`,
      row.framework === "" ? "-" : row.framework,
      row.service,
      row.address,
      row.source,
      row.state,
    ]),
  );
  for (const [index, line] of lines.entries()) out.line(index === 0 ? out.style(line, "bold") : line);
}

async function verdict(root: Root, place: Awaited<ReturnType<typeof openPlace>>, check: boolean): Promise<ExitCode> {
  const [clash] = root.claims.clashes();
  const [first] = clash ?? [];
  if (first !== undefined) {
    throw new UserError(
      `port ${String(first.port)} has more than one holder: ${(clash ?? []).map(describeHolder).join(", ")}`,
      {
        code: "port-clash",
        exit: EXIT.portClash,
        hint:
          check && (clash ?? []).some((claim) => claim.source === "spec")
            ? "npm run ports -- --fix gives one of them another port"
            : "change the port in the file that is named; --fix does not edit .env or files of others",
      },
    );
  }
  const [shared] = root.shared;
  if (shared !== undefined) {
    throw new UserError(shared, {
      code: "name-clash",
      exit: EXIT.failure,
      hint: "a copied directory needs new secrets as well: make it anew with npm run new-framework",
    });
  }
  const specs = root.frameworks.map((framework) => framework.spec);
  if (isTableCurrent(specs, place)) return EXIT.ok;
  const found = existsSync(join(place.root, PORT_TABLE_FILE));
  throw new UserError(`${place.shown}/${PORT_TABLE_FILE} is ${found ? "out of date" : "missing"}`, {
    code: "drift",
    exit: EXIT.drift,
    hint: "npm run ports -- --fix writes it again",
  });
}
