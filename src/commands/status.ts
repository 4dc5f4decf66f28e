import { EXIT, UserError, usageError, type ExitCode } from "../errors.ts";
import type { Place } from "../pipeline.ts";
import { WITHOUT_BASE } from "../plan/plan.ts";
import { statusOf, type DirectoryStatus, type FileState } from "../plan/status.ts";
import type { Framework } from "../probe/framework.ts";
import { readRoot, type Root } from "../probe/root.ts";
import { readBase, readTexts } from "../probe/texts.ts";
import { envSections, literalValue, secretsOf } from "../render/env.ts";
import { render } from "../render/render.ts";
import { fillSecrets } from "../secrets.ts";
import { flagSet, openPlace, type Context } from "./context.ts";
import { warnAbout } from "./warnings.ts";

export const help = `Usage: npm run status -- [FRAMEWORK...] [flags]
       framework-infra status [FRAMEWORK...] [flags]

Compares each file with what was generated and with what would be generated now:
clean, edited (by somebody), outdated (the spec or the templates moved on), missing, or
conflicted (an .incoming beside it waits for a decision). Shows what .env overrides. Writes nothing.

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
  /** Managed variables that \`.env\` gives another value. */
  overrides: string[];
}

export async function run(context: Context): Promise<ExitCode> {
  const { out } = context;
  const place = await openPlace(context);
  const root = await readRoot(place.root, place.shown, place.catalogue);
  warnAbout(root, out);
  const reports: Report[] = [];
  for (const framework of chosen(root, context.flags.positionals, place.shown)) {
    reports.push(await inspect(framework, place));
  }
  out.document({
    schemaVersion: 1,
    frameworks: reports.map(({ name, files, conflicts, outdated }) => ({ name, files, conflicts, outdated })),
  });
  if (reports.length === 0) out.line("There is no framework yet. Make one: npm run new-framework");
  for (const report of reports) print(context, report);
  if (!flagSet(context, "check")) return EXIT.ok;
  return verdict(reports);
}

/** The frameworks that were named, or all. @throws UserError exit 2 for a name that is not there */
function chosen(root: Root, names: readonly string[], shown: string): readonly Framework[] {
  if (names.length === 0) return root.frameworks;
  return names.map((name) => {
    const found = root.frameworks.find((framework) => framework.folder === name || framework.name === name);
    if (found !== undefined) return found;
    const known = root.frameworks.map((framework) => framework.folder);
    throw usageError(
      `${shown}/${name} is not a framework`,
      known.length === 0 ? "there is none yet: npm run new-framework" : `there are: ${known.join(", ")}`,
      [],
      "unknown-framework",
    );
  });
}

async function inspect(framework: Framework, place: Place): Promise<Report> {
  const sections = envSections(framework.spec, place.catalogue);
  const secrets = fillSecrets(secretsOf(sections), framework.env);
  const rendered = await render(framework.spec, place.catalogue, secrets, place.precompiled);
  const next = new Map([...rendered].filter(([path]) => !WITHOUT_BASE.has(path)));
  const paths = new Set([...next.keys(), ...(framework.state?.files ?? []).map((file) => file.path)]);
  const base = readBase(framework.dir, paths);
  const disk = readTexts(
    framework.dir,
    [...paths].flatMap((path) => [path, `${path}.incoming`]),
  );
  const overrides = sections
    .flatMap((section) => section.variables)
    .filter((variable) => variable.class === "managed")
    .filter(
      (variable) =>
        (framework.env.get(variable.name) ?? literalValue(variable, secrets)) !== literalValue(variable, secrets),
    )
    .map((variable) => variable.name);
  const status = statusOf({ base, disk, next });
  const env: { path: string; state: FileState }[] = readTexts(framework.dir, [".env"]).has(".env")
    ? []
    : [{ path: ".env", state: "missing" }];
  return { name: framework.folder, ...status, files: [...env, ...status.files], overrides };
}

function print({ out }: Context, { name, files, overrides, outdated }: Report): void {
  const counts = new Map<FileState, number>();
  for (const { state } of files) counts.set(state, (counts.get(state) ?? 0) + 1);
  const summary = [...counts].map(([state, count]) => `${String(count)} ${state}`).join(", ");
  out.line(`${out.style(name, "bold")}: ${summary}`);
  for (const { path, state } of files) if (state !== "clean") out.line(`  ${state.padEnd(10)}  ${path}`);
  if (overrides.length > 0) out.line(`  .env overrides ${overrides.join(", ")}`);
  if (outdated) out.line("  the spec or the templates have moved on since it was generated");
}

function verdict(reports: readonly Report[]): ExitCode {
  const conflicted = reports.filter(({ conflicts }) => conflicts.length > 0).map(({ name }) => name);
  if (conflicted.length > 0) {
    throw new UserError(`conflicts are open in ${conflicted.join(", ")}`, {
      code: "conflicts",
      exit: EXIT.conflicts,
      hint: "put what you want of FILE.incoming into FILE, then delete FILE.incoming",
    });
  }
  const drifted = reports.filter(
    ({ files, outdated }) => outdated || files.some(({ state }) => state === "outdated" || state === "missing"),
  );
  if (drifted.length === 0) return EXIT.ok;
  throw new UserError(`not as its spec and the templates say: ${drifted.map(({ name }) => name).join(", ")}`, {
    code: "drift",
    exit: EXIT.drift,
    hint: "npm run status shows the files",
  });
}
