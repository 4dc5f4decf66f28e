import { EXIT, usageError, type ExitCode } from "../errors.ts";
import { createFramework, prepareNew, type Place, type Prepared } from "../pipeline.ts";
import { planLines, portLines, quotedForShell } from "../report/preview.ts";
import type { Request } from "../spec/schema.ts";
import { flagSet, flagText, isInteractive, openPlace, type Context } from "./context.ts";
import { draftFromFlags } from "./draft.ts";
import { maySwallowYes } from "./flags.ts";

export const help = `Usage: npm run new-framework -- [NAME] [flags]
       framework-infra new-framework [NAME] [flags]

Makes the infrastructure directory of one AI-agent framework. Asks what it needs to know;
with --yes or --answers it asks nothing.

  --name NAME              the framework's name (or as the first argument)
  --preset ID              a preset of the catalogue (default: the one of that name, if there is one)
  --description TEXT       one line for its README
  --services A,B           services to run; what they need comes with them
  --port SERVICE=PORT      host port of a service; can be repeated
  --images pinned|latest   image versions (default pinned)
  --profile small|medium|large   memory, CPU and process limits (default small)
  --langfuse dedicated|external  run Langfuse here, or use one that runs already
  --langfuse-host URL      where that one is
  --answers FILE|-         take the answers from a YAML or JSON file (a framework.yaml or part of one)
  --yes                    take every default
  --dry-run                show the plan, write nothing
  --diff                   show the text of what would be written, secrets redacted; writes nothing
  --root DIR               where frameworks live (default frameworks)
  --templates DIR          use these templates instead of the built-in ones
  --json                   print the plan as JSON

Examples:
  npm run new-framework
  npm run new-framework -- crewai --yes
  npm run new-framework -- my-agents --services qdrant,postgres --port qdrant=6400 --yes
  npm run new-framework -- --answers answers.yaml --dry-run
`;

export async function run(context: Context): Promise<ExitCode> {
  const request = await draftFromFlags(context);
  const place = await openPlace(context);
  if (asksNothing(context)) return finish(context, request, place);
  if (!isInteractive(context)) throw notATerminal(request, context);
  if (maySwallowYes(context.env)) context.out.note(KEPT_YES);
  const { runGenerator } = await import("../../generators/host.ts");
  const { newFrameworkGenerator } = await import("../../generators/new-framework.ts");
  return runGenerator(newFrameworkGenerator({ context, place, request, complete: false }));
}

/** Whether flags say that no question is wanted. */
export function asksNothing(context: Context): boolean {
  return flagSet(context, "yes") || flagText(context, "answers") !== undefined;
}

/** Writes, or with --dry-run and --diff only shows. Also what the Plop generator's action calls. */
export async function finish(context: Context, request: Request, place: Place): Promise<ExitCode> {
  const { out } = context;
  requireName(request);
  const diff = flagSet(context, "diff");
  if (flagSet(context, "dry-run") || diff) {
    const prepared = await prepareNew(request, place);
    report(context, prepared);
    if (diff && !out.json) {
      const { colouredDiff } = await import("../report/diff.ts");
      out.line(colouredDiff(prepared.plan, new Map(), prepared, out));
    } else {
      for (const line of planLines(prepared.plan.actions)) out.line(line);
      out.line();
      for (const line of portLines(prepared.spec, place.catalogue)) out.line(`  ${line}`);
    }
    out.line("Nothing was written (dry run).");
    return EXIT.ok;
  }
  const prepared = await createFramework(request, place, {
    onWait: () => {
      out.note(`another command is working in ${place.shown}; waiting for it`);
    },
    onCommit: () => {
      context.commit.done = true;
    },
  });
  report(context, prepared);
  const dir = `${place.shown}/${prepared.spec.name}`;
  out.line(
    `${out.style("Created", "green")} ${out.style(dir, "bold")} (${String(prepared.plan.actions.length)} files)`,
  );
  const ports = portLines(prepared.spec, place.catalogue);
  if (ports.length > 0) out.line();
  for (const line of ports) out.line(`  ${line}`);
  out.line();
  out.line("Next:");
  out.line(`  cd ${quotedForShell(dir)}`);
  if (prepared.spec.langfuse.mode === "external")
    out.line("  # put the keys of your project there into .env (.env.template says which)");
  out.line("  docker compose up -d --wait");
  return EXIT.ok;
}

function report({ out }: Context, prepared: Prepared): void {
  for (const note of prepared.notes) out.note(note);
  out.document({ schemaVersion: 1, framework: prepared.plan.framework, actions: [...prepared.plan.actions] });
}

function requireName({ draft }: Request): void {
  if (draft.name === undefined) {
    throw usageError(
      "a name is missing",
      "for example: npm run new-framework -- crewai --yes; in an answers file: name: crewai",
      [{ key: "name", message: "is missing" }],
      "missing-name",
    );
  }
}

const KEPT_YES =
  "npm keeps --yes for itself; if you typed it, write -- before it: npm run new-framework -- crewai --yes";

export function notATerminal({ draft }: Request, { env }: Context): Error {
  if (maySwallowYes(env)) {
    return usageError(
      "npm kept --yes for itself and did not pass it on",
      "write -- before the flags: npm run new-framework -- crewai --yes",
      [],
      "npm-swallowed",
    );
  }
  const missing = [...(draft.name === undefined ? ["a name"] : []), "--yes (take the defaults) or --answers FILE"];
  return usageError(
    `this is not a terminal, so nothing can be asked; missing: ${missing.join(", and ")}`,
    "for example: npm run new-framework -- crewai --yes",
    [],
    "not-a-terminal",
  );
}
