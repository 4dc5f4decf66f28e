import { Ajv } from "ajv";
import { DCLinter } from "dclint";
import fs from "fs-extra";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { parsePort } from "../../src/commands/draft.ts";
import { dotenvValues } from "../../src/spec/dotenv.ts";
import { interpolate } from "../../src/spec/interpolate.ts";
import { treeOf } from "../helpers/catalogue.ts";
import { tempDir } from "../helpers/temp.ts";
import { CASES } from "./cases.ts";

const require = createRequire(import.meta.url);

/** compose.yaml of a case as it is written, and as Compose sees it with the case's .env. */
async function compose(name: string): Promise<{ raw: string; interpolated: string }> {
  const tree = await treeOf(CASES[name] ?? {});
  const raw = tree.get("compose.yaml")?.content ?? "";
  const env = dotenvValues(tree.get(".env")?.content ?? "");
  return { raw, interpolated: interpolate(raw, (variable) => env.get(variable)) };
}

interface Finding {
  rule: string;
  message: string;
  line: number;
}

function lint(text: string, disabled: readonly string[]): Finding[] {
  const file = join(tempDir(), "compose.yaml");
  fs.writeFileSync(file, text);
  const rules = {
    // The rest of the file uses double quotes as well.
    "require-quotes-in-ports": [2, { quoteType: "double" }],
    ...Object.fromEntries(disabled.map((rule) => [rule, 0])),
  };
  const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [] });
  const results = linter.lintFiles([file], false) as { messages: Finding[] }[];
  return results.flatMap((result) => result.messages.map(({ rule, message, line }) => ({ rule, message, line })));
}

// dclint reads `${...}` as plain text. These it can judge only once the variables are filled in, and there they are on.
const NEEDS_VALUES = ["no-unbound-port-interfaces", "service-container-name-regex"];

// With their reasons; everything else must be clean.
const WAIVED: Record<string, string[]> = {
  // `images: latest` is the user's own wish.
  "other-choices": ["service-image-require-explicit-tag"],
};

describe.each(Object.keys(CASES))("compose.yaml of %s", (name) => {
  it("passes dclint as it is written", async () => {
    expect(lint((await compose(name)).raw, NEEDS_VALUES)).toEqual([]);
  });

  it("passes dclint with its variables filled in", async () => {
    expect(lint((await compose(name)).interpolated, WAIVED[name] ?? [])).toEqual([]);
  });

  it("is what the compose-spec schema allows", async () => {
    // The dialect of the schema's $schema key is the one Ajv has by default.
    const { $schema, ...schema } = fs.readJsonSync(join(dirname(require.resolve("dclint/package.json")), "schemas", "compose.schema.json")) as Record<string, unknown>;
    expect($schema).toBeDefined();
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    const valid = ajv.compile(schema);
    const { raw, interpolated } = await compose(name);
    for (const text of [raw, interpolated]) {
      valid(parse(text));
      expect(valid.errors ?? []).toEqual([]);
    }
    expect(valid({ services: { x: { imagee: "y" } } })).toBe(false);
  });

  // CIS Docker Benchmark 1.6: 5.4, 5.5, 5.10-5.17, 5.21, 5.26-5.30, 5.32; OWASP Docker Security rules 1-5, 7, 8, 12.
  it("hardens every container", async () => {
    const { interpolated } = await compose(name);
    const services = (parse(interpolated) as { services: Record<string, Record<string, unknown>> }).services;
    expect(Object.keys(services).length).toBeGreaterThan(1);
    for (const [id, service] of Object.entries(services)) {
      expect(service, id).toMatchObject({
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
        logging: { driver: expect.any(String), options: { "max-size": expect.any(String), "max-file": expect.any(String) } },
        deploy: { resources: { limits: { memory: expect.stringMatching(/^\d+[mg]$/), cpus: expect.any(String), pids: expect.any(Number) } } },
        container_name: expect.stringMatching(new RegExp(`^${(CASES[name]?.name ?? "").replaceAll("-", "_")}_`)),
      });
      for (const banned of ["privileged", "network_mode", "pid", "ipc", "userns_mode", "cgroup", "devices"]) expect(service, id).not.toHaveProperty(banned);
      const oneShot = service["restart"] === "no";
      if (!oneShot) expect(service, id).toMatchObject({ restart: "unless-stopped", healthcheck: { interval: "5s" } });
      for (const port of (service["ports"] ?? []) as string[]) {
        expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
        expect(parsePort(port.split(":")[1] ?? "")).toBeDefined();
        expect(service["networks"]).toEqual(["internal", "network"]);
      }
      for (const volume of (service["volumes"] ?? []) as string[]) expect(volume).not.toContain("docker.sock");
      // Only what says why runs as root (`images: latest`).
      if (service["user"] === undefined) expect(interpolated).toContain("Relaxed with `images: latest`");
    }
  });

  it("lets each service start alone with what it needs", async () => {
    const services = (parse((await compose(name)).interpolated) as { services: Record<string, { depends_on?: Record<string, unknown> }> }).services;
    for (const service of Object.values(services)) for (const needed of Object.keys(service.depends_on ?? {})) expect(services).toHaveProperty(needed);
    for (const alone of ["postgres", "qdrant"]) expect(services[alone]?.depends_on).toBeUndefined();
  });
});
