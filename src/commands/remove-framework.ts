import { readdirSync } from "node:fs";

import { applyPlan, removeEmptyDirectory } from "../apply/transaction.ts";
import { volumesOf } from "../change.ts";
import { EXIT, usageError, UserError, type ExitCode } from "../errors.ts";
import type { Place } from "../pipeline.ts";
import { planRemoval } from "../plan/removal.ts";
import type { Plan } from "../plan/plan.ts";
import { readDirectory } from "../probe/disk.ts";
import { engineVolumes, runningContainers } from "../probe/engine.ts";
import { effectiveName, SPEC_FILE, type Framework } from "../probe/framework.ts";
import { readRoot, type Root } from "../probe/root.ts";
import { planLines, quotedForShell } from "../report/preview.ts";
import { changeRoot } from "../write.ts";
import { isDryRun, writeEvents } from "./change-report.ts";
import { findFramework } from "./choose.ts";
import { flagSet, isInteractive, openPlace, type Context } from "./context.ts";

export const help = `Usage: npm run remove-framework [FRAMEWORK]
       npm run remove-framework -- [FRAMEWORK] [flags]
       framework-infra remove-framework [FRAMEWORK] [flags]

Deletes what was generated for a framework, your edits of it included. Asks before. Stays: its volumes, always;
files that are yours; .env with the secrets of those volumes, unless --purge-secrets is given.

  --purge-secrets  delete .env as well: nobody can open the data of its volumes any more
  --yes            do not ask
  --dry-run        show the plan, write nothing
  --root DIR       where frameworks live (default frameworks)
  --json           print the plan as JSON

Examples:
  npm run remove-framework crewai
  npm run remove-framework -- crewai --yes
  npm run remove-framework -- crewai --yes --purge-secrets
`;

export async function run(context: Context): Promise<ExitCode> {
  const place = await openPlace(context);
  const [name, more] = context.flags.positionals;
  if (more !== undefined) throw usageError(`unexpected argument "${more}"`, "one framework is expected");
  const root = await readRoot(place.root, place.shown, place.catalogue, { tolerant: true });
  if (name !== undefined) findFramework(root, name, place.shown);
  if (name !== undefined && (flagSet(context, "yes") || isDryRun(context)))
    return removeFramework(context, place, name);
  if (!isInteractive(context)) {
    const missing = [...(name === undefined ? ["the framework"] : []), ...(flagSet(context, "yes") ? [] : ["--yes"])];
    throw usageError(
      `this is not a terminal, so nothing can be asked; missing: ${missing.join(", and ")}`,
      `for example: npm run remove-framework -- ${name ?? root.frameworks[0]?.folder ?? "crewai"} --yes`,
      [],
      "not-a-terminal",
    );
  }
  const { runGenerator } = await import("../../generators/host.ts");
  const { removeFrameworkGenerator } = await import("../../generators/remove-framework.ts");
  return runGenerator(removeFrameworkGenerator({ context, place, root, name }));
}

/** What would go, and what of it was edited. */
export function prepareRemoval(framework: Framework, place: Place, purge: boolean): { plan: Plan; edited: string[] } {
  const shown = `${place.shown}/${framework.folder}`;
  const disk = readDirectory(framework.dir, [SPEC_FILE, ".env"], shown);
  return planRemoval(framework.folder, disk, purge);
}

/** Removes the framework, or shows what would go. Also what the Plop generator's action calls. */
export async function removeFramework(context: Context, place: Place, name: string): Promise<ExitCode> {
  const { out } = context;
  const purge = flagSet(context, "purge-secrets");
  const prepare = (root: Root): { framework: Framework; plan: Plan } => {
    const framework = findFramework(root, name, place.shown);
    return { framework, plan: prepareRemoval(framework, place, purge).plan };
  };
  if (isDryRun(context)) {
    const { framework, plan } = prepare(await readRoot(place.root, place.shown, place.catalogue, { tolerant: true }));
    report(context, place, framework, plan);
    out.line("Nothing was written (dry run).");
    return EXIT.ok;
  }
  const { framework, plan } = await changeRoot(place, writeEvents(context, place.shown), (root, commit) => {
    const prepared = prepare(root);
    refuseRunning(prepared.framework, place);
    commit();
    applyPlan(prepared.framework.dir, prepared.plan);
    removeEmptyDirectory(prepared.framework.dir);
    const left = root.frameworks.filter((each) => each !== prepared.framework);
    return Promise.resolve({ result: prepared, specs: left.map(({ spec }) => spec) });
  });
  report(context, place, framework, plan);
  for (const line of remains(framework, place, purge)) out.line(line);
  return EXIT.ok;
}

/** Without compose.yaml nobody could stop it. */
function refuseRunning(framework: Framework, place: Place): void {
  const running = runningContainers(effectiveName(framework)) ?? [];
  if (running.length === 0) return;
  throw new UserError(`${framework.folder} is running: ${running.join(", ")}`, {
    code: "running",
    exit: EXIT.failure,
    hint: `stop it first: cd ${quotedForShell(`${place.shown}/${framework.folder}`)} && docker compose down`,
  });
}

function report({ out }: Context, place: Place, framework: Framework, plan: Plan): void {
  out.document({ schemaVersion: 1, framework: plan.framework, actions: [...plan.actions] });
  out.line(`${out.style(`${place.shown}/${framework.folder}`, "bold")}:`);
  for (const line of planLines(plan.actions)) out.line(`  ${line}`);
}

function remains(framework: Framework, place: Place, purge: boolean): string[] {
  const expected = volumesOf(framework, Object.keys(framework.spec.services), place.catalogue);
  const found = engineVolumes();
  const volumes = found === undefined ? expected : expected.filter((name) => found.includes(name));
  const files = leftIn(framework.dir);
  return [
    ...(files.length === 0 ? [] : ["", `What stays in ${place.shown}/${framework.folder}: ${files.join(", ")}`]),
    ...(volumes.length === 0
      ? []
      : [
          "",
          `No volume was deleted. ${found === undefined ? "What may remain (no engine answers)" : "What remains"}, with its data:`,
          ...volumes.map((name) => `  ${name}`),
          `To delete it for good: docker volume rm ${volumes.join(" ")}`,
          purge
            ? "Its secrets are gone: that data can be opened by nobody without a copy of them."
            : "Keep .env as long as you want to open that data.",
        ]),
  ];
}

function leftIn(dir: string): string[] {
  try {
    return readdirSync(dir).toSorted();
  } catch {
    // Nothing of it is left.
    return [];
  }
}
