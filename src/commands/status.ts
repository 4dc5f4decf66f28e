import { EXIT, UserError, type ExitCode } from "../errors.ts";
import type { Place } from "../pipeline.ts";
import type { Action } from "../plan/plan.ts";
import { statusOf, type DirectoryStatus, type FileState } from "../plan/status.ts";
import { storedIn } from "../plan/stored.ts";
import { readDirectory } from "../probe/disk.ts";
import type { Framework } from "../probe/framework.ts";
import { readRoot, type Root } from "../probe/root.ts";
import { planLines } from "../report/preview.ts";
import { prepareUpdate } from "../update.ts";
import { SETTLE_HINT } from "./change-report.ts";
import { chosenFrameworks } from "./choose.ts";
import { flagSet, openPlace, requireRoot, type Context } from "./context.ts";
import { warnAbout } from "./warnings.ts";

export const help = `Usage: npm run status -- [FRAMEWORK...] [flags]
       framework-infra status [FRAMEWORK...] [flags]

Compares each file with what was generated and with what would be generated now:
clean, edited (by somebody), outdated (the spec or the templates moved on), missing, or
conflicted (an .incoming beside it waits for a decision). Shows what .env overrides, and what
regenerate would do. Writes nothing.

  --check          exit 4 when a conflict is open, 5 when something is outdated or missing
  --root DIR       where frameworks live (default frameworks)
  --templates DIR  use these templates instead of the built-in ones
  --json           print the states as JSON

Examples:
  npm run status
  npm run status -- crewai
  npm run status -- --check
  npm run status -- --json
`;

interface Report extends DirectoryStatus {
  name: string;
  /** Managed variables that `.env` gives another value. */
  overrides: readonly string[];
  /** What regenerate would do; a text when it would refuse. */
  would: readonly Action[] | string;
}

export async function run(context: Context): Promise<ExitCode> {
  const { out } = context;
  const place = await openPlace(context);
  requireRoot(context, place);
  const root = await readRoot(place.root, place.shown, place.catalogue, { tolerant: true, claims: false });
  warnAbout(root, out);
  const reports: Report[] = [];
  for (const framework of chosenFrameworks(root, context.flags.positionals, place.shown)) {
    reports.push(await inspect(framework, root, place));
  }
  out.document({
    schemaVersion: 1,
    frameworks: reports.map(({ name, files, conflicts, outdated }) => ({ name, files, conflicts, outdated })),
  });
  if (reports.length === 0) out.line("There is no framework yet. Make one: npm run new-framework");
  for (const report of reports) print(context, report);
  const names = context.flags.positionals;
  const broken = root.broken.filter(({ folder }) => names.length === 0 || names.includes(folder));
  for (const { error } of broken.slice(1)) out.error(error.message, error.hint, []);
  const [first] = broken;
  if (first !== undefined) throw first.error;
  return flagSet(context, "check") ? verdict(reports) : EXIT.ok;
}

async function inspect(framework: Framework, root: Root, place: Place): Promise<Report> {
  const name = framework.folder;
  try {
    const { disk, next, overrides, plan } = await prepareUpdate(framework, root, place);
    return { name, ...withEnv(statusOf(disk, next), disk.has(".env")), overrides, would: plan.actions };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // What would be generated is not known; what was generated is.
    const disk = readDirectory(framework.dir, [".env"], `${place.shown}/${name}`);
    const base = [...storedIn(disk).base].map(([path, content]) => [path, { content, mode: 0o644 }] as const);
    const status = { ...statusOf(disk, new Map(base)), outdated: true };
    return { name, ...withEnv(status, disk.has(".env")), overrides: [], would: error.message };
  }
}

function withEnv(status: DirectoryStatus, there: boolean): DirectoryStatus {
  return there ? status : { ...status, files: [{ path: ".env", state: "missing" }, ...status.files] };
}

function print({ out }: Context, { name, files, overrides, outdated, would }: Report): void {
  const counts = new Map<FileState, number>();
  for (const { state } of files) counts.set(state, (counts.get(state) ?? 0) + 1);
  const summary = [...counts].map(([state, count]) => `${String(count)} ${state}`).join(", ");
  out.line(`${out.style(name, "bold")}: ${summary}`);
  for (const { path, state } of files) if (state !== "clean") out.line(`  ${state.padEnd(10)}  ${path}`);
  if (overrides.length > 0) out.line(`  .env overrides ${overrides.join(", ")}`);
  if (outdated) out.line("  the spec or the templates have moved on since it was generated");
  if (typeof would === "string") out.line(`  regenerate would refuse: ${would}`);
  else if (would.some(({ action }) => action !== "keep")) {
    out.line("  regenerate would:");
    for (const line of planLines(would)) out.line(`    ${line}`);
  }
}

function verdict(reports: readonly Report[]): ExitCode {
  const conflicted = reports.filter(({ conflicts }) => conflicts.length > 0).map(({ name }) => name);
  if (conflicted.length > 0) {
    throw new UserError(`conflicts are open in ${conflicted.join(", ")}`, {
      code: "conflicts",
      exit: EXIT.conflicts,
      hint: SETTLE_HINT,
    });
  }
  const drifted = reports.filter(
    ({ files, outdated }) => outdated || files.some(({ state }) => state === "outdated" || state === "missing"),
  );
  if (drifted.length === 0) return EXIT.ok;
  throw new UserError(`not as its spec and the templates say: ${drifted.map(({ name }) => name).join(", ")}`, {
    code: "drift",
    exit: EXIT.drift,
    hint: "npm run status shows the files. A deleted file stays deleted: rm DIRECTORY/.scaffold/base/FILE.base, then npm run regenerate brings it back",
  });
}
