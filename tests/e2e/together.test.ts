import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { dotenvValues } from "../../src/env/dotenv.ts";
import { cli, LAUNCHER, snapshot, start } from "../helpers/cli.ts";
import { tempDir } from "../helpers/temp.ts";

const LOCK = ".framework-infra.lock";
const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A command that waits for a lock which somebody seems to hold. */
async function waiting(cwd: string): Promise<ReturnType<typeof start>> {
  fs.mkdirpSync(join(cwd, "frameworks", LOCK));
  const running = start(process.execPath, [LAUNCHER, "new-framework", "crewai", "--yes"], { cwd });
  await new Promise<void>((resolve) => {
    running.child.stderr?.once("data", () => {
      resolve();
    });
  });
  return running;
}

/** What the owner of a living lock does. */
function touch(cwd: string): void {
  fs.utimesSync(join(cwd, "frameworks", LOCK), new Date(), new Date());
}

describe("several commands at once", () => {
  it("twenty new-framework end with twenty directories and no shared port", async () => {
    const cwd = tempDir();
    const names = Array.from({ length: 20 }, (_, index) => `agents-${String(index)}`);
    const outcomes = await Promise.all(
      names.map(async (name) => cli(["new-framework", name, "--yes"], { cwd, timeout: 120_000 })),
    );
    expect(outcomes.map(({ code }) => code)).toEqual(names.map(() => 0));
    const root = join(cwd, "frameworks");
    expect(fs.readdirSync(root).toSorted()).toEqual([...names, "PORT_ALLOCATION.md"].toSorted());
    const ports = names.flatMap((name) => {
      const env = dotenvValues(fs.readFileSync(join(root, name, ".env"), "utf8"));
      return ["QDRANT_PORT", "LANGFUSE_PORT", "POSTGRES_PORT"].map((variable) => env.get(variable));
    });
    expect(new Set(ports).size).toBe(60);
    const table = fs.readFileSync(join(root, "PORT_ALLOCATION.md"), "utf8");
    for (const name of names) expect(table).toContain(`| ${name} |`);
    expect((await cli(["ports", "--check"], { cwd })).code).toBe(0);
  }, 180_000);

  it("waits for a living owner, with a message, and goes on when it is done", async () => {
    const cwd = tempDir();
    const { result } = await waiting(cwd);
    for (let count = 0; count < 8; count += 1) {
      touch(cwd);
      await wait(1000);
    }
    expect(fs.existsSync(join(cwd, "frameworks/crewai"))).toBe(false);
    fs.rmdirSync(join(cwd, "frameworks", LOCK));
    const { code, stderr } = await result;
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining("another command is working in frameworks; waiting for it"),
    ]);
  });

  it("takes over the lock of an owner that was killed", async () => {
    const cwd = tempDir();
    const { result } = await waiting(cwd);
    expect((await result).code).toBe(0);
    expect(fs.readdirSync(join(cwd, "frameworks")).toSorted()).toEqual(["PORT_ALLOCATION.md", "crewai"]);
  });

  it("makes the root again when the owner it waited for took it away", async () => {
    const cwd = tempDir();
    const { result } = await waiting(cwd);
    fs.removeSync(join(cwd, "frameworks"));
    expect((await result).code).toBe(0);
    expect(fs.existsSync(join(cwd, "frameworks/crewai/compose.yaml"))).toBe(true);
  });

  it.each([
    ["SIGINT", 130, "interrupted"],
    ["SIGTERM", 143, "terminated"],
  ] as const)("%s while it waits: exit %i, nothing changed", async (signal, code, word) => {
    const cwd = tempDir();
    const { child, result } = await waiting(cwd);
    const before = snapshot(cwd);
    touch(cwd);
    child.kill(signal);
    const outcome = await result;
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(`${word}; nothing was changed`)]);
    expect(snapshot(cwd)).toEqual(before);
  });
});

describe("a command that is killed at any moment", () => {
  it("leaves a whole directory or none, and the next one cleans up", async () => {
    const cwd = tempDir();
    const root = join(cwd, "frameworks");
    const whole = new Set<number>();
    for (let index = 0; index < 12; index += 1) {
      const name = `agents-${String(index)}`;
      const { child, result } = start(process.execPath, [LAUNCHER, "new-framework", name, "--yes"], { cwd });
      const timer = setTimeout(() => child.kill("SIGKILL"), 60 + index * 15);
      await result;
      clearTimeout(timer);
      if (fs.existsSync(join(root, name))) {
        whole.add(index);
        expect(Object.keys(snapshot(join(root, name)))).toHaveLength(29);
      }
    }
    expect((await cli(["new-framework", "last", "--yes"], { cwd })).code).toBe(0);
    const expected = [...[...whole].map((index) => `agents-${String(index)}`), "last", "PORT_ALLOCATION.md"];
    expect(fs.readdirSync(root).toSorted()).toEqual(expected.toSorted());
    expect((await cli(["ports", "--check"], { cwd })).code).toBe(0);
  }, 180_000);
});
