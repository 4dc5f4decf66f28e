import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { cli, run, type Outcome } from "../helpers/cli.ts";
import { engineProblem } from "../helpers/engine.ts";
import { tempDir } from "../helpers/temp.ts";

const HOME = process.env["FRAMEWORK_INFRA_TEST_ENGINE"] ?? "";

/** What check-jsonschema says of a file. */
async function checkJson(file: string, ...schema: string[]): Promise<Outcome> {
  const env = { PYTHONPATH: join(HOME, "check-jsonschema") };
  return run("python3", ["-m", "check_jsonschema", ...schema, file], { env });
}

/** The same, by the schema of that name that it brings along. */
async function checked(schema: string, file: string): Promise<Outcome> {
  return checkJson(file, "--builtin-schema", `vendor.${schema}`);
}

describe.skipIf(engineProblem() !== undefined)("the file that --init-ci writes", () => {
  it.each([
    ["github", "github-workflows", ".github/workflows/framework-infra.yml", "runs-on: ubuntu", "runs_on: ubuntu"],
    ["gitlab", "gitlab-ci", ".gitlab/framework-infra.yml", "when: always", "when: sometimes"],
  ])("keeps the schema that %s has for it", async (host, schema, file, right, wrong) => {
    const cwd = tempDir();
    expect((await cli(["validate", "--init-ci", host, "--root", "my stacks"], { cwd })).code).toBe(0);
    const path = join(cwd, file);
    expect(await checked(schema, path)).toMatchObject({ code: 0 });
    // The judge can say no.
    const text = fs.readFileSync(path, "utf8");
    const broken = text.replace(right, wrong);
    expect(broken).not.toBe(text);
    fs.writeFileSync(path, broken);
    expect((await checked(schema, path)).code).toBe(1);
  });
});

describe.skipIf(engineProblem() !== undefined)("a report", () => {
  const schemas = join(HOME, "report-schemas");
  const judges: Record<string, (file: string) => Promise<Outcome>> = {
    // The schema has an expression that is none with Unicode.
    sarif: async (file) =>
      checkJson(file, "--regex-variant", "nonunicode", "--schemafile", join(schemas, "sarif-2.1.0.json")),
    xml: async (file) => run("xmllint", ["--noout", "--schema", join(schemas, "junit-10.xsd"), file]),
  };

  it.each([
    ["sarif", "SARIF 2.1.0", '"kind": "fail"', '"kind": "bad"'],
    ["xml", "JUnit as Jenkins reads it", "<testcase", "<case"],
  ])("%s keeps the schema of %s, whatever is in it", async (ending, _, right, wrong) => {
    const cwd = tempDir();
    expect((await cli(["new-framework", "crewai", "--yes"], { cwd })).code).toBe(0);
    const dir = join(cwd, "frameworks/crewai");
    // Every outcome: waived as it comes, failed, and unknown, by names that are markup.
    fs.writeFileSync(
      join(dir, "compose.override.yaml"),
      'services: {"a<b>&\\"\\u0001": {image: "x:${NOWHERE}", restart: always}}\ninclude: [other.yaml]\n',
    );
    const file = join(cwd, `r.${ending}`);
    // Nothing answers there: probes are unknown.
    const env = { DOCKER_HOST: `unix://${cwd}/none` };
    expect((await cli(["validate", "--live", "--report", file], { cwd, env })).code).toBe(6);
    expect(await judges[ending]?.(file)).toMatchObject({ code: 0 });
    const text = fs.readFileSync(file, "utf8");
    const broken = text.replace(right, wrong);
    expect(broken).not.toBe(text);
    fs.writeFileSync(file, broken);
    expect((await judges[ending]?.(file))?.code).not.toBe(0);
  });
});
