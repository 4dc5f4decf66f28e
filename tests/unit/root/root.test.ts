import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { UserError } from "../../../src/lib/errors.ts";
import { readRoot } from "../../../src/root/root.ts";
import { builtIn, specOf, treeOf } from "../../helpers/catalogue.ts";
import { tempDir } from "../../helpers/temp.ts";

const catalogue = await builtIn();

/** Writes files below a new root. */
function root(files: Record<string, string>): string {
  const dir = tempDir();
  for (const [path, text] of Object.entries(files)) fs.outputFileSync(join(dir, path), text);
  return dir;
}

async function framework(name: string): Promise<Record<string, string>> {
  return Object.fromEntries([...(await treeOf({ name }))].map(([path, file]) => [`${name}/${path}`, file.content]));
}

async function claims(files: Record<string, string>): Promise<string[]> {
  const { all } = await (await readRoot(root(files), "r", catalogue)).claims();
  return all.map(
    (claim) =>
      `${claim.framework}/${claim.service} ${claim.protocol} ${claim.address} ${String(claim.port)} ${claim.source}${claim.shadowed ? " shadowed" : ""}`,
  );
}

describe("readRoot", () => {
  it("is empty for a root that does not exist or holds nothing", async () => {
    expect((await readRoot("/nowhere/at/all", "r", catalogue)).frameworks).toEqual([]);
    expect(await claims({ "README.md": "x", "notes/compose.txt": "x" })).toEqual([]);
  });

  it("takes a framework's ports from its spec, each once", async () => {
    expect(await claims(await framework("crewai"))).toEqual([
      "crewai/langfuse tcp 127.0.0.1 3000 spec",
      "crewai/postgres tcp 127.0.0.1 5432 spec",
      "crewai/qdrant tcp 127.0.0.1 6333 spec",
    ]);
  });

  it("takes what .env really says, and still holds the spec's port", async () => {
    const files = await framework("crewai");
    const env = (files["crewai/.env"] ?? "")
      .replace("QDRANT_PORT=6333", "QDRANT_PORT=7000")
      .replace("BIND_ADDRESS=127.0.0.1", "BIND_ADDRESS=0.0.0.0");
    expect(await claims({ ...files, "crewai/.env": env })).toEqual([
      "crewai/langfuse tcp 0.0.0.0 3000 spec",
      "crewai/postgres tcp 0.0.0.0 5432 spec",
      "crewai/qdrant tcp 0.0.0.0 7000 env",
      "crewai/qdrant tcp 0.0.0.0 6333 spec shadowed",
    ]);
  });

  it("takes a service that was added by hand", async () => {
    const files = await framework("crewai");
    const compose = (files["crewai/compose.yaml"] ?? "").replace(
      "services:\n",
      'services:\n  web:\n    image: web\n    ports: ["8080:80"]\n',
    );
    expect(await claims({ ...files, "crewai/compose.yaml": compose })).toContain("crewai/web tcp 0.0.0.0 8080 foreign");
  });

  it("takes other compose files: in the root, below it, with their .env", async () => {
    expect(
      await claims({
        "compose.yaml": "services: {top: {ports: ['1000:1']}}",
        "shop/docker-compose.yml":
          "services: {web: {ports: ['${WEB_PORT}:80', '${DNS:-5353}:53/udp', '[::1]:7000-7001:1']}}",
        "shop/.env": "WEB_PORT=8081\n",
        "shop/deep/er/compose.yaml": "services: {deep: {ports: [{target: 1, published: '9000'}]}}",
        "node_modules/x/compose.yaml": "services: {no: {ports: ['1:1']}}",
        ".hidden/compose.yaml": "services: {no: {ports: ['1:1']}}",
      }),
    ).toEqual([
      "/top tcp 0.0.0.0 1000 foreign",
      "shop/deep tcp 0.0.0.0 9000 foreign",
      "shop/web tcp 0.0.0.0 8081 foreign",
      "shop/web udp 0.0.0.0 5353 foreign",
      "shop/web tcp ::1 7000 foreign",
      "shop/web tcp ::1 7001 foreign",
    ]);
  });

  it("warns of a compose file that it cannot read", async () => {
    const read = await (await readRoot(root({ "a/compose.yaml": "services: [ports" }), "r", catalogue)).claims();
    expect(read.warnings.join()).toContain("r/a/compose.yaml is not valid YAML");
  });

  it("names file, line and key of a broken framework.yaml", async () => {
    const files = await framework("crewai");
    const broken = {
      ...files,
      "crewai/framework.yaml": (files["crewai/framework.yaml"] ?? "").replace("port: 6333", "port: 99999"),
    };
    const read = await readRoot(root(broken), "r", catalogue);
    expect(read.frameworks).toEqual([]);
    expect(read.broken.map(({ error }) => error.message)).toEqual([
      expect.stringMatching(/^r\/crewai\/framework\.yaml:\d+: services\.qdrant\.port: a port is/),
    ]);
    // What is published is known all the same.
    expect((await read.claims()).all.map(({ source, port }) => [source, port])).toContainEqual(["foreign", 6333]);
  });

  it("finds two directories that claim one name, and their ports as a clash", async () => {
    const files = await framework("crewai");
    const copy = Object.fromEntries(
      Object.entries(files).map(([path, text]) => [path.replace("crewai/", "copy/"), text]),
    );
    const read = await readRoot(root({ ...files, ...copy }), "r", catalogue);
    expect(read.warnings.join()).toContain("copy and crewai are both FRAMEWORK_NAME=crewai");
    expect((await read.claims()).table.clashes()).toHaveLength(3);
  });

  it("still knows what a compose file publishes after its service was taken out of framework.yaml", async () => {
    const files = await framework("crewai");
    const spec = (files["crewai/framework.yaml"] ?? "").replace(
      / {2}qdrant:\n {4}port: 6333\n {4}requested: true\n/,
      "",
    );
    expect(await claims({ ...files, "crewai/framework.yaml": spec })).toContain(
      "crewai/qdrant tcp 127.0.0.1 6333 foreign",
    );
  });

  it("still knows it when only the port was taken out", async () => {
    const files = await framework("crewai");
    const spec = (files["crewai/framework.yaml"] ?? "").replace("    port: 6333\n", "");
    const env = (files["crewai/.env"] ?? "").replace("QDRANT_PORT=6333", "QDRANT_PORT=7000");
    expect(await claims({ ...files, "crewai/framework.yaml": spec, "crewai/.env": env })).toContain(
      "crewai/qdrant tcp 127.0.0.1 7000 foreign",
    );
  });

  it("keeps the port of a service that the catalogue does not know, and warns", async () => {
    const files = await framework("crewai");
    const spec = (files["crewai/framework.yaml"] ?? "").replace("services:\n", "services:\n  redis:\n    port: 7000\n");
    const read = await (await readRoot(root({ ...files, "crewai/framework.yaml": spec }), "r", catalogue)).claims();
    expect(read.all).toContainEqual(expect.objectContaining({ service: "redis", port: 7000, source: "spec" }));
    expect(read.warnings.join()).toContain("r/crewai/framework.yaml: services.redis is not in the catalogue");
  });

  it("takes a variable for ours only when it is, and only in the host's port", async () => {
    const files = await framework("crewai");
    const compose = (files["crewai/compose.yaml"] ?? "").replace(
      "services:\n",
      'services:\n  web:\n    image: web\n    ports:\n      - "127.0.0.1:${EXTRA_QDRANT_PORT:-7000}:80"\n      - "${BIND:-127.0.0.1}:7001:80"\n      - "7002:${QDRANT_PORT}"\n',
    );
    const { all } = await (await readRoot(root({ ...files, "crewai/compose.yaml": compose }), "r", catalogue)).claims();
    const web = all.filter((claim) => claim.service === "web").map((claim) => [claim.port, claim.variable]);
    expect(web).toEqual([
      [7000, "EXTRA_QDRANT_PORT"],
      [7001, null],
      [7002, null],
    ]);
  });

  it("tells holders apart by their folder, and files of one folder not", async () => {
    const web = "services: {web: {ports: ['8080:80']}}";
    const clashes = async (files: Record<string, string>): Promise<number> =>
      (await (await readRoot(root(files), "r", catalogue)).claims()).table.clashes().length;
    const apart = await clashes({ "other/a/compose.yaml": web, "other/b/compose.yaml": web });
    const together = await clashes({ "other/compose.yaml": web, "other/compose.override.yaml": web });
    expect([apart, together]).toEqual([1, 0]);
  });

  it("finds two stacks that share a name by .env alone", async () => {
    const [one, two] = [await framework("crewai"), await framework("dspy")];
    const env = (two["dspy/.env"] ?? "").replace("FRAMEWORK_NAME=dspy", "FRAMEWORK_NAME=crewai");
    const read = await readRoot(root({ ...one, ...two, "dspy/.env": env }), "r", catalogue);
    expect(read.warnings.join()).toContain("crewai and dspy are both FRAMEWORK_NAME=crewai");
  });

  it("refuses a root that is a file", async () => {
    const dir = root({ file: "x" });
    await expect(readRoot(join(dir, "file"), "r", catalogue)).rejects.toThrow(UserError);
    await expect(readRoot(join(dir, "file", "below"), "r", catalogue)).rejects.toThrow("lies below a file");
  });
});

it("reads back every spec it writes", async () => {
  for (const name of ["crewai", "my-own"]) {
    const read = await readRoot(root(await framework(name)), "r", catalogue);
    expect(read.frameworks.map((each) => each.spec)).toEqual([await specOf({ name })]);
  }
});
