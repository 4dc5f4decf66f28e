import { spawnSync } from "node:child_process";
import fs from "fs-extra";
import { join } from "node:path";

import { interpolate } from "../../src/env/interpolate.ts";
import { run, type Outcome } from "./cli.ts";

/** The test images (tests/live/images), by the variable that puts each into a stack. */
export const IMAGES: Readonly<Record<string, string>> = {
  POSTGRES_IMAGE: "framework-infra-test/postgres:15",
  VALKEY_IMAGE: "framework-infra-test/valkey:8.1",
  QDRANT_IMAGE: "framework-infra-test/qdrant-stand-in:1.19",
  LANGFUSE_IMAGE: "framework-infra-test/langfuse-stand-in:4",
  LANGFUSE_WORKER_IMAGE: "framework-infra-test/langfuse-worker-stand-in:4",
  CLICKHOUSE_IMAGE: "framework-infra-test/clickhouse-engine:26.5",
  SEAWEEDFS_IMAGE:
    process.env["FRAMEWORK_INFRA_REAL"] === "1"
      ? "framework-infra-test/seaweedfs:4"
      : "framework-infra-test/seaweedfs-stand-in:4.47",
};

/**
 * What is missing for the live tests; undefined when they can run. Asks only an engine that
 * FRAMEWORK_INFRA_TEST_ENGINE names: nobody's own engine gets test containers.
 */
export function engineProblem(): string | undefined {
  const home = process.env["FRAMEWORK_INFRA_TEST_ENGINE"];
  if (home === undefined || home === "") return "an engine of its own; tests/live/run starts one and runs them";
  const { status, stdout } = spawnSync("docker", ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], {
    encoding: "utf8",
  });
  if (status !== 0) return "a Docker engine that answers at DOCKER_HOST";
  const missing = Object.values(IMAGES).filter((image) => !stdout.split("\n").includes(image));
  return missing.length === 0 ? undefined : `the images ${missing.join(", ")} (tests/live/images/build.sh)`;
}

/** One framework's directory with a running stack. */
export class Stack {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** Puts the test images into `.env`, and limits that this machine's kernel allows. */
  useTestImages(): void {
    const lines = Object.entries({ ...IMAGES, ...this.#openFiles() }).map(([name, value]) => `${name}=${value}`);
    fs.appendFileSync(join(this.dir, ".env"), `\n# Test images\n${lines.join("\n")}\n`);
  }

  // An engine inside a container cannot give more open files than it has itself.
  #openFiles(): Record<string, string> {
    const most = Number(spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout.trim());
    const text = fs.readFileSync(join(this.dir, ".env.template"), "utf8");
    const wanted = [...text.matchAll(/^# (\w+_NOFILE_LIMIT)=(\d+)$/gm)].map(
      ([, name = "", value = ""]) => [name, value] as const,
    );
    return Object.fromEntries(wanted.filter(([, value]) => Number(value) > most).map(([name]) => [name, String(most)]));
  }

  get env(): Map<string, string> {
    const found = new Map<string, string>();
    for (const [, name = "", value = ""] of fs
      .readFileSync(join(this.dir, ".env"), "utf8")
      .matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)) {
      found.set(
        name,
        interpolate(value, (other) => found.get(other)),
      );
    }
    return found;
  }

  async compose(...args: string[]): Promise<Outcome> {
    return run("docker", ["compose", ...args], { cwd: this.dir, timeout: 280_000 });
  }

  /** `compose`, which must succeed; its standard output. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.compose(...args);
    if (code !== 0)
      throw new Error(`docker compose ${args.join(" ")} ended with ${String(code)}:\n${stderr}\n${await this.#logs()}`);
    return stdout;
  }

  /** `ok` with something on standard input. */
  async fed(input: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run("docker", ["compose", ...args], {
      cwd: this.dir,
      input,
      timeout: 280_000,
    });
    if (code !== 0) throw new Error(`docker compose ${args.join(" ")} ended with ${String(code)}:\n${stderr}`);
    return stdout;
  }

  /** A statement for the stack's PostgreSQL, from inside its container; what it prints. */
  async sql(text: string, user: string, database = user): Promise<string> {
    const psql = ["psql", "-h", "127.0.0.1", "-U", user, "-d", database, "-XAtqc", text];
    return (await this.ok("exec", "-T", "postgres", ...psql)).trim();
  }

  /** One request to the stack's Qdrant, which must succeed; the answer. */
  async qdrant(method: string, path: string, body?: object): Promise<{ result: unknown }> {
    const response = await fetch(`${this.env.get("QDRANT_URL") ?? ""}${path}`, {
      method,
      headers: { "api-key": this.env.get("QDRANT_API_KEY") ?? "", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${String(response.status)} ${await response.text()}`);
    return (await response.json()) as { result: unknown };
  }

  /** Runs one of the emitted scripts. */
  async script(name: string, ...args: string[]): Promise<Outcome> {
    return run(join(this.dir, "scripts", name), args, { cwd: "/", timeout: 280_000 });
  }

  async #logs(): Promise<string> {
    return (await this.compose("logs", "--tail", "15")).stdout;
  }

  /** Takes the stack and its volumes away. */
  async remove(): Promise<void> {
    await this.compose("down", "--volumes", "--timeout", "5");
  }
}

/** `docker ARGS`, which must succeed; its standard output. */
export async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run("docker", args, { timeout: 120_000 });
  if (code !== 0) throw new Error(`docker ${args.join(" ")} ended with ${String(code)}: ${stderr}`);
  return stdout;
}
