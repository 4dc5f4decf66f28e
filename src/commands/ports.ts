import { conflictsOf } from "../flow/change.ts";
import { conflictsError } from "../flow/conflicts.ts";
import { fixPorts, type FixPortsResult } from "../flow/fix-ports.ts";
import { listPorts, type ListPortsResult } from "../flow/list-ports.ts";
import type { Place } from "../flow/place.ts";
import { EXIT, usageError } from "../lib/errors.ts";
import { portsError, showFixedPorts, showPorts } from "../report/ports.ts";
import { isDryRun, requireRoot, viewOf, type Command } from "./context.ts";

interface PortsRequest {
  place: Place;
  fix: boolean;
  dry: boolean;
}

interface PortsResult {
  fixed: FixPortsResult | undefined;
  /** As they are afterwards; undefined of a dry run of `--fix`. */
  listed: ListPortsResult | undefined;
}

export const command: Command<PortsRequest, never, PortsResult> = {
  read: async (context) => {
    const { flags, place } = context;
    const [unexpected] = flags.positionals;
    if (unexpected !== undefined)
      throw usageError(`unexpected argument "${unexpected}"`, "see npm run ports -- --help");
    const fix = flags.isSet("fix");
    if (flags.isSet("check") && fix)
      throw usageError("--check and --fix cannot be used together", "--check reports, --fix changes");
    requireRoot(context);
    return Promise.resolve({ request: { place, fix, dry: isDryRun(context) } });
  },
  run: async ({ place, fix, dry }) => {
    const fixed = fix ? await fixPorts({ place, dry }) : undefined;
    return { fixed, listed: fix && dry ? undefined : await listPorts({ place }) };
  },
  present: async (result, context) => {
    const { fixed, listed } = result ?? {};
    const view = viewOf(context);
    if (fixed !== undefined) await showFixedPorts(fixed, view);
    const conflicts = (fixed?.changes ?? []).map(({ folder, plan }) => ({
      folder,
      conflicts: conflictsOf(plan.actions),
    }));
    const open = fixed?.written === true ? conflictsError(conflicts) : undefined;
    if (open !== undefined) throw open;
    if (listed === undefined) return EXIT.ok;
    showPorts(listed, view);
    const check = context.flags.isSet("check");
    const [broken] = listed.errors;
    const error = broken ?? (check || fixed !== undefined ? portsError(listed, context.place.shown, check) : undefined);
    if (error !== undefined) throw error;
    return EXIT.ok;
  },
};
