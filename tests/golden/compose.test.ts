import { Ajv } from "ajv";
import { DCLinter } from "dclint";
import fs from "fs-extra";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { parseCompose } from "../../src/compose/parse.ts";
import { parsePort } from "../../src/ports/number.ts";
import { dotenvValues } from "../../src/env/dotenv.ts";
import { interpolate } from "../../src/env/interpolate.ts";
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

/** Which container uses which others, over the network. */
const USES: Record<string, string[]> = {
  langfuse: ["clickhouse", "postgres", "seaweedfs", "valkey"],
  "langfuse-worker": ["clickhouse", "postgres", "seaweedfs", "valkey"],
  "langfuse-database": ["postgres"],
  "langfuse-bucket": ["seaweedfs"],
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

  it("hardens every container", async () => {
    const { interpolated } = await compose(name);
    const stack = parseCompose(interpolated);
    if (stack === undefined) throw new Error("not a compose file");
    expect(stack.services.size).toBeGreaterThan(1);
    const relaxed = CASES[name]?.waivers ?? [];
    // Only what says why runs as root (`images: latest`).
    if (relaxed.length > 0) expect(interpolated).toContain("Relaxed with `images: latest`");
    for (const { name: id, settings, containerName, ports, networks } of stack.services.values()) {
      expect(containerName, id).toMatch(new RegExp(`^${(CASES[name]?.name ?? "").replaceAll("-", "_")}_`));
      expect(settings, id).toMatchObject({ cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
      expect(settings, id).toHaveProperty("deploy.resources.limits.memory", expect.stringMatching(/^\d+[mg]$/));
      expect(settings, id).toHaveProperty("deploy.resources.limits.pids", expect.any(Number));
      if (settings["restart"] !== "no") expect(settings, id).toMatchObject({ healthcheck: { interval: "5s" } });
      for (const { host, container } of ports) expect([parsePort(host), parsePort(container)]).not.toContain(undefined);
      // What is on an internal network alone silently publishes nothing.
      if (ports.length > 0) expect(networks).toContain("network");
    }
  });

  it("lets containers share a network only where one uses the other", async () => {
    const { interpolated } = await compose(name);
    const stack = parseCompose(interpolated);
    if (stack === undefined) throw new Error("not a compose file");
    const networks = new Map([...stack.services.values()].map((each) => [each.name, each.networks]));
    const bridges = [...new Set([...networks.values()].flat())];
    for (const id of bridges)
      expect([id, stack.networks.get(id)?.["internal"]]).toEqual([id, id === "network" ? undefined : true]);
    const inside = (id: string): string[] => (networks.get(id) ?? []).filter((each) => each !== "network");
    const share = (a: string, b: string): boolean => inside(a).some((each) => inside(b).includes(each));
    for (const [client, servers] of Object.entries(USES))
      for (const server of servers) if (networks.has(client)) expect([client, server, share(client, server)]).toEqual([client, server, true]);
    // Servers meet only where each asks for a password; one that asks for none, or that nobody here uses, meets none.
    const servers = [...networks.keys()].filter((id) => !(id in USES));
    for (const a of ["qdrant", "seaweedfs"])
      for (const b of servers) if (a !== b && networks.has(a)) expect([a, b, share(a, b)]).toEqual([a, b, false]);
    for (const client of Object.keys(USES)) expect(share(client, "qdrant"), client).toBe(false);
    expect(share("langfuse-database", "seaweedfs") || share("langfuse-bucket", "postgres")).toBe(false);
  });

  it("lets each service start alone with what it needs", async () => {
    const services = (parse((await compose(name)).interpolated) as { services: Record<string, { depends_on?: Record<string, unknown> }> }).services;
    for (const service of Object.values(services)) for (const needed of Object.keys(service.depends_on ?? {})) expect(services).toHaveProperty(needed);
    for (const alone of ["postgres", "qdrant"]) expect(services[alone]?.depends_on).toBeUndefined();
  });
});
