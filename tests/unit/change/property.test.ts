import fc from "fast-check";
import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Catalogue, Template } from "../../../src/catalogue/catalogue.ts";
import { stateText } from "../../../src/plan/state.ts";
import type { Place } from "../../../src/flow/place.ts";
import { planUpToDate } from "../../../src/flow/road/bring-up-to-date.ts";
import { planChange, type PlannedChange } from "../../../src/flow/road/plan-change.ts";
import { completePorts, PortBook } from "../../../src/flow/road/ports.ts";
import { sha256 } from "../../../src/lib/digest.ts";
import { isEmpty, planNew } from "../../../src/plan/plan.ts";
import { readRoot, type Root } from "../../../src/root/root.ts";
import { envSections, secretsOf } from "../../../src/env/variables.ts";
import { render } from "../../../src/render/render.ts";
import { fillSecrets } from "../../../src/env/secrets.ts";
import { randomBytes } from "../../../src/host/random.ts";
import { dependants, withoutService, withService } from "../../../src/spec/services.ts";
import { runs } from "../../helpers/arbitrary.ts";
import { builtIn, specOf } from "../../helpers/catalogue.ts";
import { placeAt, PROVENANCE, written } from "../../helpers/place.ts";
import { stamps } from "../../helpers/project-dir.ts";
import { newTempDir, removeDir } from "../../helpers/temp.ts";

const catalogue = await builtIn();

/** What a newer version of the templates may change. */
const TEMPLATE_EDITS: readonly ((templates: Map<string, Template>) => void)[] = [
  template("services/postgres/compose.yaml.hbs", "stop_grace_period: 60s", "stop_grace_period: 90s"),
  template("services/postgres/compose.yaml.hbs", "shm_size: 256m", "shm_size: 512m\n    init: true"),
  template(
    "services/qdrant/compose.yaml.hbs",
    'QDRANT__TELEMETRY_DISABLED: "true"',
    'QDRANT__TELEMETRY_DISABLED: "true"\n      # Less to read.\n      QDRANT__LOG_LEVEL: WARN',
  ),
  template("framework/emit/README.md.hbs", "## Start and stop", "## Starting and stopping"),
  template("framework/emit/dot-env.template.hbs", "No secret stands here.", "It holds no secret."),
  (templates) =>
    templates.set("framework/emit/NOTES.md", {
      path: "framework/emit/NOTES.md",
      source: "# Notes\n",
      compiled: undefined,
    }),
  (templates) => templates.delete("framework/emit/DISASTER_RECOVERY.md.hbs"),
];

function template(path: string, find: string, put: string): (templates: Map<string, Template>) => void {
  return (templates) => {
    const source = templates.get(path)?.source ?? "";
    if (!source.includes(find)) throw new Error(`${path} has no ${find}`);
    templates.set(path, { path, source: source.replace(find, () => put), compiled: undefined });
  };
}

/** What people do to a directory: values, lines, whole files, line ends, modes. */
const USER_EDITS: readonly ((dir: string) => void)[] = [
  edit("compose.yaml", "restart: unless-stopped", "restart: always # ours"),
  edit("compose.yaml", "shm_size: 256m", "shm_size: 1g"),
  edit(
    "compose.yaml",
    "\nnetworks:\n",
    "\n  # Ours.\n  app:\n    image: busybox\n    networks: [internal]\n\nnetworks:\n",
  ),
  edit("compose.yaml", 'max-size: "10m"', "max-size: '10m'"),
  edit("README.md", "## Start and stop", "## How we start it"),
  edit("README.md", "## Logging", "## Logs\n\nAsk us.\n\n## Logging"),
  edit(".env.template", "LOG_LEVEL=\n", "LOG_LEVEL=DEBUG\n"),
  edit(".env", "BIND_ADDRESS=127.0.0.1", "BIND_ADDRESS=127.0.0.2"),
  edit("framework.yaml", "profile: small", "profile: medium # for now"),
  (dir) => fs.appendFileSync(join(dir, ".gitignore"), "/tmp/\n"),
  (dir) => fs.removeSync(join(dir, "DISASTER_RECOVERY.md")),
  (dir) => fs.removeSync(join(dir, "examples")),
  (dir) => fs.outputFileSync(join(dir, "NOTES.md"), "mine\n"),
  (dir) => fs.chmodSync(join(dir, "README.md"), 0o600),
  (dir) => {
    const path = join(dir, "compose.yaml");
    fs.writeFileSync(path, fs.readFileSync(path, "utf8").replaceAll(/\r?\n/g, "\r\n"));
  },
  (dir) => fs.removeSync(join(dir, ".scaffold/base/README.md.base")),
];

function edit(path: string, find: string, put: string): (dir: string) => void {
  return (dir) => {
    const file = join(dir, path);
    const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    if (text.includes(find))
      fs.writeFileSync(
        file,
        text.replace(find, () => put),
      );
  };
}

const editions = new Map<string, Catalogue>();

function edition(chosen: readonly number[]): Catalogue {
  const key = chosen.toSorted((a, b) => a - b).join();
  const known = editions.get(key);
  if (known !== undefined) return known;
  const templates = new Map(catalogue.templates);
  for (const index of new Set(chosen)) TEMPLATE_EDITS[index]?.(templates);
  const made = { ...catalogue, templates };
  editions.set(key, made);
  return made;
}

const subset = (length: number, most: number): fc.Arbitrary<number[]> =>
  fc.uniqueArray(fc.nat({ max: length - 1 }), { maxLength: most });
const services = fc.constantFrom("qdrant", "postgres", "qdrant,postgres", "langfuse", "langfuse,qdrant,postgres");

/** A framework's directory in a root of its own, as an older version of the templates made it, then edited. */
async function inEdited<T>(
  ids: string,
  edits: readonly number[],
  work: (root: string, place: (of: Catalogue) => Place) => Promise<T>,
): Promise<T> {
  const cwd = newTempDir();
  try {
    const root = join(cwd, "frameworks");
    fs.mkdirSync(root);
    const spec = await specOf({ name: "crewai", services: ids.split(",") });
    const secrets = fillSecrets(secretsOf(envSections(spec, catalogue)), new Map(), randomBytes);
    const made = planNew(spec.name, await render(spec, catalogue, secrets), stateText(PROVENANCE));
    for (const [path, { content, mode }] of made.writes) {
      fs.outputFileSync(join(root, spec.name, path), content);
      fs.chmodSync(join(root, spec.name, path), mode);
    }
    for (const index of edits) USER_EDITS[index]?.(join(root, "crewai"));
    return await work(root, (of) => placeAt(root, of));
  } finally {
    removeDir(cwd);
  }
}

async function planned(place: Place, how: (root: Root) => Promise<PlannedChange>): Promise<PlannedChange> {
  return how(await readRoot(place.root, place.shown, place.catalogue));
}

const update = (place: Place): Promise<PlannedChange> =>
  planned(place, (root) => {
    const [framework] = root.frameworks;
    if (framework === undefined) throw new Error("there is no framework");
    return planUpToDate(framework, root, new PortBook(root, place), place);
  });

const shown = ({ plan }: PlannedChange): object[] => plan.actions.map((action) => ({ ...action }));

/** The bytes that a plan promised are those on disk. */
function holdTo(dir: string, { plan }: PlannedChange): void {
  for (const { path, after } of plan.actions) {
    const file = join(dir, path);
    expect([path, fs.existsSync(file) ? sha256(fs.readFileSync(file)) : null]).toEqual([path, after]);
  }
}

describe("for any edits of a directory and of the templates", { timeout: 3_600_000 }, () => {
  it("regenerate changes no byte and no time when nothing is new", async () => {
    await fc.assert(
      fc.asyncProperty(services, subset(USER_EDITS.length, 6), async (ids, edits) =>
        // But for what those edits ask for: a spec that was changed, and a base that was lost.
        inEdited(
          ids,
          edits.filter((index) => ![8, 15].includes(index)),
          async (root, place) => {
            const before = stamps(root);
            const change = await update(place(catalogue));
            expect([isEmpty(change.plan), change.plan.actions.filter(({ action }) => action !== "keep")]).toEqual([
              true,
              [],
            ]);
            await written(place(catalogue), change);
            expect(stamps(root)).toEqual(before);
          },
        ),
      ),
      runs(25),
    );
  });

  it("a plan is the same twice, writes nothing, is what is applied, and leaves nothing to do", async () => {
    await fc.assert(
      fc.asyncProperty(
        services,
        subset(USER_EDITS.length, 6),
        subset(TEMPLATE_EDITS.length, 4),
        async (ids, edits, newer) =>
          inEdited(ids, edits, async (root, place) => {
            const dir = join(root, "crewai");
            const before = stamps(root);
            const [first, second] = [await update(place(edition(newer))), await update(place(edition(newer)))];
            expect(shown(second)).toEqual(shown(first));
            expect(stamps(root)).toEqual(before);
            await written(place(edition(newer)), first);
            holdTo(dir, first);
            const again = await update(place(edition(newer)));
            expect([...again.plan.writes.keys(), ...again.plan.removes]).toEqual([]);
          }),
      ),
      runs(25),
    );
  });

  it("add-service and remove-service give every byte back, .env aside, whatever updates are pending", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("qdrant", "postgres", "qdrant,postgres"),
        fc.constantFrom("qdrant", "postgres", "langfuse", "valkey"),
        subset(USER_EDITS.length, 5),
        subset(TEMPLATE_EDITS.length, 3),
        async (ids, added, edits, newer) =>
          inEdited(
            ids,
            // A profile that was edited and not generated yet stands in lines that a service changes as well: those
            // are then generated anew. A base that was lost is a conflict.
            edits.filter((index) => ![8, 15].includes(index)),
            async (root, place) => {
              const dir = join(root, "crewai");
              const at = place(edition(newer));
              const files = (): Record<string, string> =>
                Object.fromEntries(
                  fs
                    .readdirSync(dir, { recursive: true, encoding: "utf8" })
                    .filter((path) => path !== ".env" && fs.statSync(join(dir, path)).isFile())
                    .map((path) => [path, fs.readFileSync(join(dir, path), "utf8")]),
                );
              const before = files();
              const conflicts: string[] = [];
              const step = async (verb: "add" | "remove"): Promise<void> => {
                const done = await planned(at, async (all) => {
                  const [framework] = all.frameworks;
                  if (framework === undefined) throw new Error("there is no framework");
                  const { spec } = framework;
                  const wanted =
                    verb === "add" ? withService(spec, added, at.catalogue) : withoutService(spec, added, at.catalogue);
                  const book = new PortBook(all, at);
                  return planChange(
                    {
                      framework,
                      spec: (await completePorts(framework, wanted, new Map(), book, at)).spec,
                      upgrade: false,
                    },
                    at,
                  );
                });
                conflicts.push(
                  ...done.plan.actions.filter(({ action }) => action === "conflict").map(({ path }) => path),
                );
                await written(at, done);
              };
              const spec = await specOf({ name: "crewai", services: ids.split(",") });
              fc.pre(
                !(added in spec.services) &&
                  dependants(withService(spec, added, catalogue), added, catalogue).length === 0,
              );
              await step("add");
              // An edit that meets what is added is a conflict; then there is nothing to give back yet.
              fc.pre(conflicts.length === 0);
              await step("remove");
              expect([conflicts, files()]).toEqual([[], before]);
            },
          ),
      ),
      runs(25),
    );
  });
});
