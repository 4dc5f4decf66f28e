import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { cli, run, type Outcome } from "../helpers/cli.ts";
import { engineProblem } from "../helpers/engine.ts";
import { tempDir } from "../helpers/temp.ts";

/** What check-jsonschema says of a file, by the schema of that name that it brings along. */
async function checked(schema: string, file: string): Promise<Outcome> {
  const env = { PYTHONPATH: join(process.env["FRAMEWORK_INFRA_TEST_ENGINE"] ?? "", "check-jsonschema") };
  return run("python3", ["-m", "check_jsonschema", "--builtin-schema", `vendor.${schema}`, file], { env });
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
