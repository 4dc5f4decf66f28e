import fc from "fast-check";
import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { composeModel, type Compose } from "../../src/compose/model.ts";
import { publishedBy } from "../../src/compose/ports.ts";
import { stackOf } from "../../src/compose/stack.ts";
import { mapping } from "../../src/lib/mapping.ts";
import { dotenvProblems } from "../../src/env/dotenv-problems.ts";
import { dotenvValues } from "../../src/env/dotenv.ts";
import { interpolate } from "../../src/env/interpolate.ts";
import { mergeFile } from "../../src/merge/merge.ts";
import { sample } from "../corpus/corpus.ts";
import { CASES } from "../golden/cases.ts";
import { draft, externalDraft, runs } from "../helpers/arbitrary.ts";
import { treeOf } from "../helpers/catalogue.ts";
import { run } from "../helpers/cli.ts";
import { READABLE, REFUSED } from "../helpers/dotenv-cases.ts";
import { engineProblem } from "../helpers/engine.ts";
import { newTempDir, removeDir, tempDir } from "../helpers/temp.ts";

/** What Docker Compose makes of one value, with `.env` beside it. */
async function composeReads(value: string, env: string): Promise<string> {
  const cwd = tempDir();
  fs.writeFileSync(join(cwd, ".env"), env);
  fs.writeFileSync(
    join(cwd, "compose.yaml"),
    `services: {x: {image: x, environment: {V: ${JSON.stringify(value)}}}}\n`,
  );
  const { code, stdout, stderr } = await run("docker", ["compose", "config", "--format", "json"], { cwd });
  if (code !== 0) throw new Error(stderr);
  const read = JSON.parse(stdout) as { services: { x: { environment: { V: string } } } };
  // Compose writes a literal dollar as `$$`.
  return read.services.x.environment.V.replaceAll("$$", "$");
}

// These need Compose, but no container.
describe.skipIf(engineProblem() !== undefined)("Docker Compose and this program read the same", () => {
  it.each([
    "$A",
    "${A}",
    "x${A}y",
    "${MISSING}",
    "${MISSING:-9}",
    "${EMPTY:-9}",
    "${EMPTY-9}",
    "${A:+9}",
    "${MISSING:+9}",
    "${EMPTY+9}",
    "${MISSING:-${A}}",
    "${MISSING:-${OTHER:-deep}}",
    "$$A",
    "${A:?must}",
  ])("%s", async (text) => {
    const env = "A=1\nEMPTY=\n";
    const values = dotenvValues(env);
    expect(interpolate(text, (name) => values.get(name))).toBe(await composeReads(text, env));
  });

  it.each([
    "V=1",
    "V = 1 ",
    "export V=1",
    "V=",
    "V=a b",
    "V=a #comment",
    "V=a#b",
    "V='a $B #c'",
    'V="a\\nb"',
    'V="a\\"b"',
    "V='x\ny'",
    "V=1\nV=2",
    "B=x\nV=$B",
    "B=x\nV=${B}y",
    "V=${B:-z}",
    "V=ab$cd",
    "V=1\r\n",
    "V=a'b",
    'V=a"b',
    "V: 1",
    "V=a\\nb",
    "V='it'\\''s'",
    "V='it\\'s'",
    "V='a\\\\b'",
    "A='x' V=1",
  ])(".env %j", async (text) => {
    const ours = dotenvValues(`${text}\n`).get("V");
    const theirs = await composeReads("${V}", `${text}\n`).catch(
      (error: unknown) => `refused: ${String(error).slice(0, 60)}`,
    );
    // What Compose refuses to read is nobody's port.
    if (theirs.startsWith("refused")) expect(ours).not.toMatch(/^\d+$/);
    else expect(ours).toBe(theirs);
  });

  it.each([...REFUSED, ...READABLE])("refuses .env %j where dotenvProblems does", async (line) => {
    const text = `OK=1\n${line}\n`;
    const isRefused = await composeReads("${OK}", text).then(
      () => false,
      () => true,
    );
    expect(dotenvProblems(text).length > 0).toBe(isRefused);
  });

  it("accepts compose.yaml of any draft, and reads the values that were meant", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(draft, externalDraft), async (each) => {
        const cwd = newTempDir();
        try {
          const tree = await treeOf(each);
          for (const [path, file] of tree) fs.outputFileSync(join(cwd, path), file.content);
          const { code, stdout, stderr } = await run("docker", ["compose", "config", "--format", "json"], { cwd });
          expect([code, stderr]).toEqual([0, ""]);
          const env = dotenvValues(tree.get(".env")?.content ?? "");
          const read = JSON.parse(stdout) as {
            name: string;
            services: Record<string, { environment?: Record<string, string> }>;
          };
          expect(read.name).toBe(env.get("FRAMEWORK_NAME"));
          for (const name of ["APP_DB_NAME", "APP_DB_PASSWORD"]) {
            if (env.has(name)) expect(read.services["postgres"]?.environment?.[name]).toBe(env.get(name));
          }
        } finally {
          removeDir(cwd);
        }
      }),
      runs(15),
    );
  });

  it.each(Object.keys(CASES))("accepts compose.yaml of %s", async (name) => {
    const cwd = tempDir();
    for (const [path, file] of await treeOf(CASES[name] ?? {})) fs.outputFileSync(join(cwd, path), file.content);
    const { code, stderr } = await run("docker", ["compose", "config", "-q"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
  });
});

/** What validation reads from a stack: nothing of it depends on how it is written. */
function facets(compose: Compose): unknown {
  return [...compose.services.values()].map(({ name, image, ports, mounts, networks, settings, containerName }) => ({
    name,
    image,
    containerName,
    ports: ports
      .flatMap((entry) => publishedBy(entry, (text) => text) ?? [])
      .map(({ address, port, protocol }) => `${address}:${String(port)}/${protocol}`)
      .toSorted(),
    mounts: mounts.map(({ type, source, target }) => `${type} ${type === "bind" ? "" : source} ${target}`).toSorted(),
    // Compose adds its default one to a service that names none.
    networks: networks.filter((network) => network !== "default").toSorted(),
    user: settings["user"],
    lists: ["cap_add", "cap_drop", "security_opt", "command", "entrypoint", "dns"].map((key) => listed(settings[key])),
    environment: variables(settings["environment"]),
    logging: settings["logging"] ?? null,
    healthcheck: command(mapping(settings["healthcheck"])["test"]),
    needs: Array.isArray(settings["depends_on"])
      ? settings["depends_on"].map(String)
      : Object.keys(mapping(settings["depends_on"])),
  }));
}

function listed(value: unknown): unknown {
  return typeof value === "string" ? [value] : (value ?? null);
}

function command(test: unknown): unknown {
  return typeof test === "string" ? ["CMD-SHELL", test] : (test ?? null);
}

function variables(value: unknown): unknown {
  if (!Array.isArray(value)) return Object.entries(mapping(value)).map(([name, text]) => `${name}=${String(text)}`);
  return value.map(String);
}

describe.skipIf(engineProblem() !== undefined)("Docker Compose and this program combine the same", () => {
  const BASE = `
x-common: &common {image: "x:1", cap_drop: [ALL], logging: {driver: local, options: {max-size: "1m"}}}
services:
  a:
    <<: *common
    container_name: a
    user: "1"
    command: [one, two]
    ports: ["127.0.0.1:8000:80", "9000-9002:9000-9002/udp"]
    volumes: [data:/data, ./conf:/conf:ro]
    networks: [inside]
    environment: {A: "1", B: "2"}
    healthcheck: {test: [CMD, "true"], interval: 5s}
    security_opt: [no-new-privileges:true]
    depends_on: [b]
  b: {image: "y:\${TAG:-2}", networks: {inside: {}, outside: {}}, dns: 1.1.1.1}
networks: {inside: {internal: true}, outside: {}}
volumes: {data: {}}
`;
  it.each([
    "services: {}",
    "services: {a: {user: root, command: [three]}}",
    "services: {a: {cap_add: [NET_ADMIN], cap_drop: [NET_RAW], security_opt: [seccomp:unconfined]}}",
    "services: {a: {ports: ['0.0.0.0:8000:80', '127.0.0.1:8000:80']}}",
    "services: {a: {ports: !override ['1.2.3.4:1:1'], user: !reset null}}",
    "services: {a: {ports: !reset [], volumes: !override [other:/data]}}\nvolumes: {other: {}}",
    "services: {a: {volumes: [{type: bind, source: ./b, target: /data}, more:/more]}}\nvolumes: {more: {}}",
    "services: {a: {environment: [B=3, C=4]}, b: {environment: [D=5]}}",
    "services: {a: {logging: {options: {max-file: '3'}}}}",
    "services: {a: {logging: {driver: json-file}}}",
    "services: {a: {healthcheck: {test: NONE}}, b: {dns: [9.9.9.9]}}",
    "services: {a: {networks: [outside], depends_on: {b: {condition: service_healthy}}}}",
    "services: {a: {networks: !reset [], network_mode: host}}",
    "services: {c: {extends: d, container_name: c, ports: ['7000:70']}, d: {image: z, ports: ['7001:71'], user: '4'}}",
    "services: {c: {extends: {service: b}, user: '5'}, b: {image: w, user: '6', cap_drop: [ALL]}}",
  ])("%s", async (override) => {
    const cwd = tempDir();
    const files = [
      { file: "compose.yaml", text: BASE },
      { file: "compose.override.yaml", text: override },
    ];
    for (const { file, text } of files) fs.writeFileSync(join(cwd, file), text);
    const { code, stdout, stderr } = await run("docker", ["compose", "config", "--format", "json"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    const theirs = composeModel(JSON.parse(stdout));
    if (theirs === undefined) throw new Error(stdout);
    const ours = stackOf(files, () => undefined, cwd).compose;
    const sorted = (compose: Compose): unknown =>
      Object.fromEntries((facets(compose) as { name: string }[]).map((each) => [each.name, each]));
    expect(sorted(ours)).toEqual(sorted(theirs));
  });
});

describe.skipIf(engineProblem() !== undefined)("Docker Compose and a merged compose.yaml", () => {
  it("accepts every merge of a file that it accepted", async () => {
    const cwd = tempDir();
    const every = sample(700).filter(({ file }) => file === "compose.yaml");
    const names = new Set(
      every.flatMap(({ theirs }) => [...theirs.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name ?? "")),
    );
    fs.writeFileSync(
      join(cwd, ".env"),
      [...names].map((name) => `${name}=${name.endsWith("PORT") ? "7000" : "x"}\n`).join(""),
    );
    const accepts = async (text: string): Promise<boolean> => {
      fs.writeFileSync(join(cwd, "compose.yaml"), text);
      return (await run("docker", ["compose", "config", "-q"], { cwd })).code === 0;
    };
    const refused: string[] = [];
    let merged = 0;
    for (const { file, ids, ours, base, theirs } of every.filter((_, index) => index % 5 === 0)) {
      const outcome = mergeFile(file, ours, base, theirs);
      if (!("text" in outcome) || !(await accepts(ours))) continue;
      merged += 1;
      if (!(await accepts(outcome.text))) refused.push(ids);
    }
    expect(refused).toEqual([]);
    expect(merged).toBeGreaterThan(40);
  });
});
