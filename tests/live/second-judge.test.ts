import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { stackOf } from "../../src/compose/stack.ts";
import { dotenvValues } from "../../src/env/dotenv.ts";
import { SERVICE_RULES } from "../../src/rules/judge.ts";
import { CASES } from "../golden/cases.ts";
import { treeOf } from "../helpers/catalogue.ts";
import { run } from "../helpers/cli.ts";
import { engineProblem } from "../helpers/engine.ts";
import { BROKEN, FINE } from "../helpers/rule-fixtures.ts";
import { composeWith } from "../helpers/rules.ts";
import { tempDir } from "../helpers/temp.ts";

/** Which of our rules is about the same as one of compose-lint's. */
const SAME: Record<string, string> = {
  "CL-0001": "no-docker-socket",
  "CL-0002": "no-privileges",
  "CL-0003": "no-new-privileges",
  "CL-0004": "pinned-image",
  "CL-0005": "loopback",
  "CL-0006": "no-capabilities",
  "CL-0007": "read-only",
  "CL-0008": "own-namespaces",
  "CL-0009": "confinement",
  "CL-0010": "own-namespaces",
  "CL-0011": "no-dangerous-capabilities",
  "CL-0013": "no-sensitive-mount",
  "CL-0016": "no-devices",
  "CL-0017": "own-mounts",
  "CL-0020": "no-secret-in-file",
  "CL-0021": "no-secret-in-file",
  "CL-0024": "no-dangerous-capabilities",
  "CL-0025": "no-sensitive-mount",
  "CL-0026": "limits",
  "CL-0028": "no-dangerous-capabilities",
  "CL-0029": "no-dangerous-capabilities",
  "CL-0030": "no-dangerous-capabilities",
};
const SHARED = new Set(Object.values(SAME));

/** Where the two differ, by the example, and why. */
const DIFFERS: Record<string, { rules: readonly string[]; why: string }> = {
  '{"uts":"host"}': { rules: ["own-namespaces"], why: "it has no rule for this namespace" },
  '{"userns_mode":"host"}': { rules: ["own-namespaces"], why: "it has no rule for this namespace" },
  '{"cgroup":"host"}': { rules: ["own-namespaces"], why: "it has no rule for this namespace" },
  '{"pid":"container:other"}': { rules: ["own-namespaces"], why: "it looks for the host's alone" },
  '{"deploy":{"resources":{"limits":{"memory":"1g","cpus":"1"}}}}': {
    rules: ["limits"],
    why: "it asks for no pids limit",
  },
  '{"image":"x:alpine-latest"}': { rules: ["pinned-image"], why: "it looks for the tag latest alone" },
  '{"volumes":["/:/host:ro"]}': {
    rules: ["no-docker-socket", "no-sensitive-mount"],
    why: "to it, / is the socket's finding",
  },
  '{"volumes":[{"type":"bind","source":"./a","target":"/a","bind":{"propagation":"slave"}}]}': {
    rules: ["own-mounts"],
    why: "it takes slave for safe; KICS does not",
  },
  '{"volumes":["/etc/localtime:/etc/localtime:ro","/etc/ssl/certs:/certs:ro","/home/alice/project:/src","./x:/x"]}': {
    rules: ["no-sensitive-mount"],
    why: "certificates and somebody's project are mounted for good reason",
  },
  '{"post_start":[{"command":"x","user":"root","privileged":true}]}': {
    rules: ["no-privileges"],
    why: "it does not look at hooks",
  },
  '{"gpus":"all"}': { rules: ["no-devices"], why: "it looks at devices alone" },
  '{"device_cgroup_rules":["a *:* rwm"]}': { rules: ["no-devices"], why: "it looks at devices alone" },
  '{"image":"x:latest-alpine"}': { rules: ["pinned-image"], why: "it looks for the tag latest alone" },
  '{"image":"x:main"}': { rules: ["pinned-image"], why: "it looks for the tag latest alone" },
  '{"use_api_socket":true}': { rules: ["no-docker-socket"], why: "it looks at mounts alone" },
  '{"volumes":["/srv/alice/.aws:/e:ro"]}': { rules: ["no-sensitive-mount"], why: "it does not know this directory" },
  '{"command":["serve","postgres://user:hunter2@db/x"]}': {
    rules: ["no-secret-in-file"],
    why: "it looks for URLs in the environment alone",
  },
  '{"build":{"context":".","args":{"NPM_TOKEN":"hunter2"}}}': {
    rules: ["no-secret-in-file"],
    why: "it does not look at arguments of a build",
  },
};

async function judges(cwd: string): Promise<{ ours: string[]; theirs: string[] }> {
  const text = fs.readFileSync(join(cwd, "compose.yaml"), "utf8");
  const envFile = join(cwd, ".env");
  const env = dotenvValues(fs.existsSync(envFile) ? fs.readFileSync(envFile, "utf8") : "");
  const stack = stackOf([{ file: "compose.yaml", text }], (name) => env.get(name), cwd);
  const ours = [...stack.compose.services.values()].flatMap((service) =>
    SERVICE_RULES.filter((rule) => SHARED.has(rule.id) && rule.check(service, stack) !== undefined).map(
      (rule) => `${service.name} ${rule.id}`,
    ),
  );
  const { stdout, stderr } = await run(
    "python3",
    ["-m", "compose_lint", "check", "--format", "json", "--allow-partial-coverage", "compose.yaml"],
    { cwd, env: { PYTHONPATH: join(process.env["FRAMEWORK_INFRA_TEST_ENGINE"] ?? "", "compose-lint") } },
  );
  if (!stdout.startsWith("{")) throw new Error(stderr);
  const { findings } = JSON.parse(stdout) as { findings: { rule_id: string; service: string }[] };
  const theirs = findings.flatMap(({ rule_id: id, service }) =>
    SAME[id] === undefined ? [] : `${service} ${SAME[id]}`,
  );
  return { ours: [...new Set(ours)].toSorted(), theirs: [...new Set(theirs)].toSorted() };
}

describe.skipIf(engineProblem() !== undefined)("compose-lint, as a second judge", () => {
  it.each(Object.keys(CASES))("agrees on every rule that both have about %s", async (name) => {
    const cwd = tempDir();
    for (const [path, file] of await treeOf(CASES[name] ?? {})) fs.outputFileSync(join(cwd, path), file.content);
    const { ours, theirs } = await judges(cwd);
    expect(ours).toEqual(theirs);
  });

  it.each([
    ...FINE.map((changes) => ["fine", changes] as const),
    ...Object.entries(BROKEN).flatMap(([rule, all]) => all.map((changes) => [rule, changes] as const)),
  ])("agrees about %s: %j", async (rule, changes) => {
    const cwd = tempDir();
    const text = composeWith(changes);
    fs.writeFileSync(join(cwd, "compose.yaml"), text);
    const { ours, theirs } = await judges(cwd);
    const known = DIFFERS[JSON.stringify(changes)];
    if (known === undefined) expect([rule, ours]).toEqual([rule, theirs]);
    else {
      const others = (found: readonly string[]): string[] =>
        found.filter((each) => !known.rules.some((one) => each === `a ${one}`));
      expect(others(ours)).toEqual(others(theirs));
      expect(ours).not.toEqual(theirs);
    }
  });
});
