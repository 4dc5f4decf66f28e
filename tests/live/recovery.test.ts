import fs from "fs-extra";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cli, run } from "../helpers/cli.ts";
import { docker, engineProblem, IMAGES, Stack } from "../helpers/engine.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

/** The commands of DISASTER_RECOVERY.md, run as they stand but for the image, which no registry gives here. */
describe.skipIf(engineProblem() !== undefined)("DISASTER_RECOVERY.md", () => {
  let cwd = "";
  let stack = new Stack("");

  beforeAll(async () => {
    cwd = newTempDir();
    stack = new Stack(join(cwd, "frameworks", "archive"));
    const { code, stderr } = await cli(["new-framework", "archive", "--yes", "--services", "qdrant,postgres"], { cwd });
    if (code !== 0) throw new Error(stderr);
    stack.useTestImages();
    await stack.ok("up", "-d", "--wait");
    await sql("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
    await qdrant("PUT", "/collections/kept", { vectors: { size: 2, distance: "Dot" } });
    const points = Array.from({ length: 20 }, (_, id) => ({ id, vector: [id, 1] }));
    await qdrant("PUT", "/collections/kept/points?wait=true", { points });
  });

  afterAll(async () => {
    await stack.remove();
    removeDir(cwd);
  });

  /** The shell blocks under a heading. */
  function blocks(heading: string): string[] {
    const text = fs.readFileSync(join(stack.dir, "DISASTER_RECOVERY.md"), "utf8");
    const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
    return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  }

  async function shell(script: string): Promise<string> {
    const { code, stdout, stderr } = await run(
      "sh",
      ["-ec", script.replaceAll("postgres:15-alpine", IMAGES["POSTGRES_IMAGE"] ?? "")],
      { cwd: stack.dir, timeout: 240_000 },
    );
    if (code !== 0) throw new Error(`${script}\nended with ${String(code)}: ${stderr}`);
    return stdout;
  }

  const sql = async (text: string): Promise<string> => stack.sql(text, "archive");

  const qdrant = (...request: Parameters<Stack["qdrant"]>): ReturnType<Stack["qdrant"]> => stack.qdrant(...request);

  async function everythingIsThere(): Promise<void> {
    expect(await sql("SELECT count(*), sum(n) FROM kept")).toBe("1000|500500");
    expect(await qdrant("POST", "/collections/kept/points/count", { exact: true })).toMatchObject({
      result: { count: 20 },
    });
  }

  it("saves the stopped stack, and brings it back after its volumes were destroyed", async () => {
    const [save = ""] = blocks("Back up everything");
    const [restore = ""] = blocks("Restore");
    await shell(save);
    expect(fs.readdirSync(join(stack.dir, "backups")).toSorted()).toEqual([
      "env",
      "postgres_data.tar.gz",
      "qdrant_data.tar.gz",
      "qdrant_snapshots.tar.gz",
    ]);
    expect(fs.statSync(join(stack.dir, "backups")).mode & 0o077).toBe(0);
    await stack.ok("down", "--volumes");
    expect(await docker("volume", "ls", "-q", "--filter", "name=archive")).toBe("");
    await shell(restore);
    await stack.ok("up", "-d", "--wait");
    await everythingIsThere();
  });

  it("dumps and restores PostgreSQL while it runs", async () => {
    const [save = "", restore = ""] = blocks("Back up and restore PostgreSQL while it is running");
    expect(await shell(save)).toContain("the dump can be read");
    await sql("DROP TABLE kept");
    await shell(restore);
    await everythingIsThere();
    expect(await sql("SELECT tableowner FROM pg_tables WHERE tablename = 'kept'")).toBe("archive");
    expect(fs.statSync(join(stack.dir, "backups/globals.sql")).mode & 0o077).toBe(0);
  });

  it("saves and restores a collection of Qdrant while it runs", async () => {
    const [save = "", restore = "", restoreAliases = "", list = ""] = blocks(
      "Back up and restore Qdrant while it is running",
    );
    const alias = { alias_name: "live", collection_name: "kept" };
    await qdrant("POST", "/collections/aliases", {
      actions: [{ create_alias: alias }, { create_alias: { ...alias, alias_name: "next" } }],
    });
    // What the document says to do by hand: put in the collection, and the name that the first command prints.
    const named = (script: string): string => script.replaceAll("NAME", "kept");
    const lines = named(save).split("\n");
    const first = lines.findIndex((line) => line.includes("-X POST")) + 1;
    const made = await shell(lines.slice(0, first).join("\n"));
    const { result } = JSON.parse(made) as { result: { name: string } };
    await shell(
      `${lines.slice(1, first - 1).join("\n")}\n${lines.slice(first).join("\n").replaceAll("SNAPSHOT", result.name)}`,
    );
    await qdrant("DELETE", "/collections/kept");
    await shell(named(restore));
    await everythingIsThere();
    await shell(restoreAliases);
    const { result: restored } = await qdrant("GET", "/aliases");
    expect(
      (restored as { aliases: { alias_name: string }[] }).aliases.map((each) => each.alias_name).toSorted(),
    ).toEqual(["live", "next"]);
    // Of an uploaded file that the server keeps; the stand-in keeps none, so one is made.
    const { result: kept } = (await qdrant("POST", "/collections/kept/snapshots")) as { result: { name: string } };
    const listed = named(list).split("\n");
    expect(await shell(listed.slice(0, 2).join("\n"))).toContain(kept.name);
    await shell(`${listed[0] ?? ""}\n${listed.slice(2).join("\n").replaceAll("SNAPSHOT", kept.name)}`);
    expect(await qdrant("GET", "/collections/kept/snapshots")).toMatchObject({ result: [] });
  });
});
