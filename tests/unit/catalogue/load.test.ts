import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { defaultServices, withDependencies } from "../../../src/catalogue/catalogue.ts";
import { TAKEN_KEYS } from "../../../src/catalogue/checks.ts";
import { checkers } from "../../../scripts/prebuild.ts";
import { loadCatalogue, type Prebuilt } from "../../../src/catalogue/load.ts";
import { COMMANDS } from "../../../src/cli/table.ts";
import { UserError } from "../../../src/lib/errors.ts";
import { SPEC_KEYS } from "../../../src/spec/schema.ts";
import { builtIn } from "../../helpers/catalogue.ts";
import { TEMPLATES } from "../../helpers/project.ts";
import { tempDir } from "../../helpers/temp.ts";

/** A copy of the built-in templates with one file changed. */
function changed(file: string, change: (text: string) => string): string {
  const folder = join(tempDir(), "templates");
  fs.copySync(TEMPLATES, folder);
  const path = join(folder, file);
  const before = fs.existsSync(path) ? fs.readFileSync(path, "utf8") : "";
  const after = change(before);
  if (after === before) throw new Error(`${file} was not changed`);
  fs.outputFileSync(path, after);
  return folder;
}

async function refusal(folder: string): Promise<UserError> {
  try {
    await loadCatalogue(folder);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("what the build has checked", () => {
  /** Every manifest and preset as the build stores it, with a mark that no file could give. */
  function prebuilt(): Prebuilt {
    const paths = fs.readdirSync(TEMPLATES, { recursive: true, encoding: "utf8" });
    const kinds: [RegExp, (text: string, path: string) => unknown][] = [
      [/^services\/[^/]+\/service\.yaml$/, checkers.service],
      [/^presets\/[^/]+\.yaml$/, checkers.preset],
      [/^framework\/env\.yaml$/, checkers.common],
    ];
    const files = new Map(
      paths.flatMap((path) => {
        const check = kinds.find(([pattern]) => pattern.test(path))?.[1];
        if (check === undefined) return [];
        const source = fs.readFileSync(join(TEMPLATES, path), "utf8");
        return [
          [path, { source, checked: Object.assign(check(source, path) as object, { title: "stored" }) }] as const,
        ];
      }),
    );
    return { files, digest: "" };
  }

  const DSPY = "presets/dspy.yaml";

  it("is taken as it is, and not for a file that was edited since", async () => {
    const taken = await loadCatalogue(TEMPLATES, prebuilt());
    expect([taken.services.get("qdrant")?.title, taken.presets.get("dspy")?.title]).toEqual(["stored", "stored"]);
    const edited = await loadCatalogue(
      changed(DSPY, (text) => `${text}# edited\n`),
      prebuilt(),
    );
    expect([edited.services.get("qdrant")?.title, edited.presets.get("dspy")?.title]).toEqual(["stored", "DSPy"]);
  });

  it("says nothing of another set of files: one gone, one more, one edited", async () => {
    const folder = join(tempDir(), "templates");
    const broken = async (change: () => void): Promise<string[]> => {
      fs.emptyDirSync(folder);
      fs.copySync(TEMPLATES, folder);
      change();
      const error: unknown = await loadCatalogue(folder, prebuilt()).catch((reason: unknown) => reason);
      return error instanceof UserError ? error.details.map(({ message }) => message) : [];
    };
    expect(await broken(() => undefined)).toEqual([]);
    const gone = await broken(() => {
      fs.removeSync(join(folder, "services/postgres"));
    });
    expect(gone.join()).toContain('"postgres" is not a service of the catalogue');
    const more = await broken(() => {
      fs.copySync(join(folder, DSPY), join(folder, "presets/other.yaml"));
    });
    expect(more.join()).toContain("is already used in");
    const edited = await broken(() => {
      fs.writeFileSync(
        join(folder, DSPY),
        fs.readFileSync(join(folder, DSPY), "utf8").replace(/^slot: 1$/m, "slot: 0"),
      );
    });
    expect(edited.join()).toContain("slot 0 is already used in");
  });
});

describe("the built-in catalogue", () => {
  it("has the services and presets of the port table", async () => {
    const catalogue = await builtIn();
    expect([...catalogue.services.keys()]).toEqual([
      "clickhouse",
      "langfuse",
      "postgres",
      "qdrant",
      "seaweedfs",
      "valkey",
    ]);
    const slots = [...catalogue.presets.values()].map((preset) => [preset.id, preset.slot]);
    expect(Object.fromEntries(slots)).toEqual({
      crewai: 0,
      dspy: 1,
      pocketflow: 2,
      "google-adk": 3,
      "pydantic-ai": 4,
      custom: undefined,
    });
    expect(defaultServices(catalogue)).toEqual(["langfuse", "postgres", "qdrant"]);
  });

  it("brings what Langfuse needs", async () => {
    expect(withDependencies(await builtIn(), ["langfuse"])).toEqual([
      "clickhouse",
      "langfuse",
      "postgres",
      "seaweedfs",
      "valkey",
    ]);
  });
});

describe("a broken catalogue", () => {
  const QDRANT = "services/qdrant/service.yaml";

  it.each<[string, string, (text: string) => string, string]>([
    ["an unknown key", QDRANT, (text) => text.replace("summary:", "sumary:"), `${QDRANT}:4: sumary: unknown key`],
    ["a bad value", QDRANT, (text) => text.replace("base: 6333", "base: 0"), `${QDRANT}:11: port.base: a port is`],
    ["a syntax error", QDRANT, (text) => text.replace("id: qdrant", "id: [qdrant"), `${QDRANT}:`],
    ["an id that is not its folder", QDRANT, (text) => text.replace("id: qdrant", "id: quadrant"), "must be the same"],
    ["an unknown dependency", QDRANT, (text) => `${text}requires: [nope]\n`, '"nope" is not a service'],
    ["a cycle", "services/postgres/service.yaml", (text) => `${text}requires: [langfuse]\n`, "dependency cycle: "],
    ["overlapping ranges", QDRANT, (text) => text.replace("base: 6333", "base: 5500"), "overlaps 5432-5531"],
    [
      "a volume of another service",
      QDRANT,
      (text) => text.replace("qdrant_data", "postgres_data"),
      "volume postgres_data is already used",
    ],
    [
      "a variable of another service",
      QDRANT,
      (text) => text.replace("QDRANT_URL", "DATABASE_URL"),
      "variable DATABASE_URL is already used",
    ],
    ["a secret without rotation", QDRANT, (text) => text.replace(/    rotate: Put.*\n/, ""), "needs `rotate`"],
    ["a name that is no pattern", QDRANT, (text) => `${text}reservedNames: ["("]\n`, "not a regular expression"],
    [
      "a form that is no pattern",
      QDRANT,
      (text) => text.replace("class: secret", 'class: secret\n    form: "("'),
      "not a regular expression",
    ],
    [
      "an image of nobody",
      "services/langfuse/service.yaml",
      (text) => text.replace("imageOf: postgres", "imageOf: mysql"),
      '"mysql", which no service has',
    ],
    [
      "two probes of one name",
      "services/qdrant/service.yaml",
      (text) => text.replace("id: key-required", "id: round-trip"),
      'two probes are called "round-trip"',
    ],
    [
      "a probe of a container that nobody has",
      "services/langfuse/service.yaml",
      (text) => text.replace("container: valkey", "container: redis"),
      '"queue" is about the container "redis", which no service has',
    ],
    [
      "a probe of a service outside that is a script",
      "services/langfuse/service.yaml",
      (text) => text.replace("probes: [health,", "probes: [queue, health,"),
      '"queue" of `external` is not a probe over HTTP, TCP or SQL',
    ],
    [
      "a probe without a question",
      "services/valkey/service.yaml",
      (text) => text.replace("    reach:", "    reech:"),
      "reech",
    ],
    [
      "two measures of one name",
      "services/qdrant/service.yaml",
      (text) => text.replace("id: write", "id: search"),
      'two measures are called "search"',
    ],
    [
      "a measure of a container that nobody has",
      "services/langfuse/service.yaml",
      (text) => text.replace("title: a span is accepted", "title: a span is accepted\n    container: redis"),
      '"ingestion" is about the container "redis", which no service has',
    ],
    [
      "a measure without anything to time",
      "services/postgres/service.yaml",
      (text) => text.replace("title: a transaction is committed, so it is on the disk\n    sql:", "title: x\n    sgl:"),
      "sgl",
    ],
    ["a slot used twice", "presets/dspy.yaml", (text) => text.replace("slot: 1", "slot: 0"), "slot 0 is already used"],
    [
      "no fallback preset",
      "presets/custom.yaml",
      (text) => text.replace("fallback: true", "fallback: false"),
      "exactly one preset",
    ],
    ["a folder without a manifest", "services/new/compose.yaml.hbs", () => "x\n", "service.yaml is missing"],
  ])("refuses %s", async (_, file, change, message) => {
    const error = await refusal(changed(file, change));
    expect(error.exit).toBe(2);
    expect([error.message, ...error.details.map((detail) => JSON.stringify(detail))].join("\n")).toContain(
      error.details.length > 1 ? message.split(": ").at(-1) : message,
    );
  });

  it("refuses a folder that is none", async () => {
    expect((await refusal("/nowhere")).message).toContain("not a templates folder");
    expect((await refusal(tempDir())).message).toContain("no framework/");
  });
});

it("takes a new service as a folder, without a line of code", async () => {
  const folder = changed(
    "services/redis-stack/service.yaml",
    () =>
      `schemaVersion: 1
id: redis-stack
title: Redis Stack
summary: cache
offer: choice
port: { variable: REDIS_PORT, base: 6500, last: 6599, container: 6379, url: "redis://localhost:{{port}}" }
containers:
  - name: redis-stack
    variable: REDIS_STACK
    image: { pinned: "redis:8", latest: "redis:latest" }
    limits:
      small: { memory: 1g, cpus: "1.0", pids: 10 }
      medium: { memory: 1g, cpus: "1.0", pids: 10 }
      large: { memory: 1g, cpus: "1.0", pids: 10 }
`,
  );
  fs.writeFileSync(
    join(folder, "services/redis-stack/compose.yaml.hbs"),
    "  redis-stack:\n    image: {{container.redis-stack.image}}\n",
  );
  const catalogue = await loadCatalogue(folder);
  expect(catalogue.services.get("redis-stack")?.port?.base).toBe(6500);
});

it("keeps every key of framework.yaml and every flag from being the id of a service that can be used from outside", async () => {
  const catalogue = await builtIn();
  const external = [...catalogue.services.values()].filter((service) => service.external !== undefined);
  const own = new Set(external.flatMap(({ id }) => [id, `${id}-host`]));
  const flags = Object.keys(COMMANDS["new-framework"].flags(catalogue)).filter((name) => !own.has(name));
  expect([...SPEC_KEYS, ...flags].filter((key) => !TAKEN_KEYS.has(key))).toEqual([]);
});

describe("how a volume is saved", () => {
  const VALKEY = "services/valkey/service.yaml";
  const SAVED = /^ {4}notSaved: .*$/m;

  it.each<[string, string, RegExp]>([
    ["is not said", "", /say how a backup saves it/],
    ["is said twice", "    saved: files\n    notSaved: x", /say how a backup saves it/],
    [
      "is by a part that is not there",
      "    saved: service",
      /there is no services\/valkey\/emit\/scripts\/services\/valkey\.sh/,
    ],
  ])("is refused when it %s", async (_, put, expected) => {
    const error = await refusal(changed(VALKEY, (text) => text.replace(SAVED, put)));
    expect([error.details.map(({ file }) => file), error.details.map(({ message }) => message).join()]).toEqual([
      [VALKEY],
      expect.stringMatching(expected),
    ]);
  });
});
