import fs from "fs-extra";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

/**
 * Changes of a stack that runs and has data, on a real engine. PostgreSQL and Valkey are the real programs; Qdrant,
 * ClickHouse, SeaweedFS and Langfuse are stand-ins (tests/live/images/README.md).
 */
describe.skipIf(engineProblem() !== undefined)("a running stack that is changed", () => {
  let work: Workspace;
  let stack = new Stack("");

  beforeAll(async () => {
    work = await new Workspace(newTempDir()).make("changing", "qdrant,postgres");
    stack = new Stack(work.path("changing"));
    stack.useTestImages();
    await stack.ok("up", "-d", "--wait");
    await sql("CREATE TABLE kept AS SELECT generate_series(1, 250) AS id");
    await qdrant("PUT", "/collections/kept", { vectors: { size: 2, distance: "Dot" } });
    const points = Array.from({ length: 40 }, (_, id) => ({ id: id + 1, vector: [id, 1] }));
    await qdrant("PUT", "/collections/kept/points?wait=true", { points });
  });

  afterAll(async () => {
    await stack.remove();
    // Those of a service that was removed stand in no file any more.
    const left = (await volumes()).filter((name) => name.startsWith("changing_"));
    if (left.length > 0) await docker("volume", "rm", ...left);
    removeDir(work.cwd);
  });

  async function sql(query: string): Promise<string> {
    const env = stack.env;
    const name = env.get("APP_DB_NAME") ?? "";
    return stack.ok("exec", "-T", "postgres", "psql", "-U", "postgres", "-d", name, "-Atc", query);
  }

  async function qdrant(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await fetch(`http://127.0.0.1:${stack.env.get("QDRANT_PORT") ?? ""}${path}`, {
      method,
      headers: { "api-key": stack.env.get("QDRANT_API_KEY") ?? "", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await answer.json()) as Record<string, unknown>;
  }

  const rows = async (): Promise<string> => (await sql("SELECT count(*) FROM kept")).trim();
  const points = async (): Promise<unknown> =>
    ((await qdrant("POST", "/collections/kept/points/count", { exact: true }))["result"] as { count: number }).count;
  const idOf = async (container: string): Promise<string> =>
    (await docker("inspect", "-f", "{{.Id}}", container)).trim();
  const volumes = async (): Promise<string[]> => (await docker("volume", "ls", "-q")).trim().split("\n");
  const valid = async (): Promise<number | null> => (await stack.compose("config", "-q")).code;

  it("gets Langfuse beside PostgreSQL with data: the one-shot makes its database, and nothing else is touched", async () => {
    const before = [await idOf("changing_postgres"), await idOf("changing_qdrant")];
    await work.ok("add-service", "langfuse");
    stack.useTestImages();
    expect(await valid()).toBe(0);
    await stack.ok("up", "-d", "--wait");
    expect([await idOf("changing_postgres"), await idOf("changing_qdrant")]).toEqual(before);
    expect(await docker("inspect", "-f", "{{.State.ExitCode}}", "changing_langfuse_database")).toContain("0");
    expect((await sql("SELECT datname FROM pg_database ORDER BY 1")).split("\n")).toContain("langfuse");
    expect([await rows(), await points()]).toEqual(["250", 40]);
    const port = stack.env.get("LANGFUSE_PORT") ?? "";
    expect((await fetch(`http://127.0.0.1:${port}/api/public/health`)).status).toBe(200);
  });

  it("takes an update of the templates into files that were edited, and still has its data", async () => {
    work.edit("changing/compose.yaml", "shm_size: 256m", "shm_size: 300m # ours");
    const templates = work.newer({
      "services/postgres/compose.yaml.hbs": (text) =>
        text
          .replace("stop_grace_period: 60s", "stop_grace_period: 20s")
          .replace("- timezone=UTC", "- timezone=UTC\n      - -c\n      - work_mem=8MB"),
      "services/qdrant/compose.yaml.hbs": (text) => text.replace("stop_grace_period: 30s", "stop_grace_period: 10s"),
    });
    const printed = await work.ok("regenerate", "--templates", templates);
    expect(printed).toMatch(/merge {5}compose\.yaml/);
    expect(await valid()).toBe(0);
    await stack.ok("up", "-d", "--wait");
    expect((await sql("SHOW work_mem")).trim()).toBe("8MB");
    expect((await docker("inspect", "-f", "{{.HostConfig.ShmSize}}", "changing_postgres")).trim()).toBe(
      String(300 * 2 ** 20),
    );
    expect([await rows(), await points()]).toEqual(["250", 40]);
  });

  it("works on while a conflict is open", async () => {
    const templates = work.newer({
      "services/postgres/compose.yaml.hbs": (text) => text.replace("shm_size: 256m", "shm_size: 512m"),
    });
    const { code } = await work.run("regenerate", "--templates", templates);
    expect([code, work.has("changing/compose.yaml.incoming"), await valid()]).toEqual([4, true, 0]);
    await stack.ok("up", "-d", "--wait");
    expect(await rows()).toBe("250");
    await work.ok("regenerate", "--ours", "--templates", templates);
    expect([work.has("changing/compose.yaml.incoming"), await valid()]).toEqual([false, 0]);
  });

  it("loses no data by remove-service: added again, it opens its old volume with its old key", async () => {
    const key = stack.env.get("QDRANT_API_KEY");
    const printed = await work.ok("remove-service", "qdrant");
    expect(printed).toContain("changing_qdrant_data");
    expect(await valid()).toBe(0);
    await stack.ok("up", "-d", "--wait", "--remove-orphans");
    expect((await docker("ps", "-a", "--format", "{{.Names}}")).split("\n")).not.toContain("changing_qdrant");
    expect(await volumes()).toContain("changing_qdrant_data");
    await work.ok("add-service", "qdrant");
    expect(await valid()).toBe(0);
    await stack.ok("up", "-d", "--wait");
    expect([await points(), await rows(), stack.env.get("QDRANT_API_KEY")]).toEqual([40, "250", key]);
  });

  it("gives a clone without .env no new secrets while its volumes are there", async () => {
    const env = work.path("changing/.env");
    fs.moveSync(env, join(work.cwd, "env"));
    try {
      const { code, stderr } = await work.run("regenerate", "--templates", "newer");
      expect([code, stderr]).toEqual([1, expect.stringContaining("new secrets would not open their data")]);
      expect(stderr).toContain("changing_postgres_data");
      expect(fs.existsSync(env)).toBe(false);
    } finally {
      fs.moveSync(join(work.cwd, "env"), env);
    }
  });

  it("is not removed while it runs, and its volumes outlive its files", async () => {
    const { code, stderr } = await work.run("remove-framework", "changing", "--yes");
    expect([code, stderr]).toEqual([1, expect.stringContaining("changing is running")]);
    await stack.ok("down");
    const printed = await work.ok("remove-framework", "changing", "--yes");
    expect(printed).toContain("changing_postgres_data");
    expect(fs.readdirSync(work.path("changing"))).toEqual([".env", ".gitignore"]);
    expect(await volumes()).toEqual(expect.arrayContaining(["changing_postgres_data", "changing_qdrant_data"]));
  });
});
