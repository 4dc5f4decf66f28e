import fc from "fast-check";
import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { dotenvValues } from "../../src/env/dotenv.ts";
import { interpolate } from "../../src/env/interpolate.ts";
import { mergeFile } from "../../src/merge/merge.ts";
import { sample } from "../corpus/corpus.ts";
import { CASES } from "../golden/cases.ts";
import { draft, externalDraft, runs } from "../helpers/arbitrary.ts";
import { treeOf } from "../helpers/catalogue.ts";
import { run } from "../helpers/cli.ts";
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
  ])(".env %j", async (text) => {
    const ours = dotenvValues(`${text}\n`).get("V");
    const theirs = await composeReads("${V}", `${text}\n`).catch(
      (error: unknown) => `refused: ${String(error).slice(0, 60)}`,
    );
    // What Compose refuses to read is nobody's port.
    if (theirs.startsWith("refused")) expect(ours).not.toMatch(/^\d+$/);
    else expect(ours).toBe(theirs);
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
