import fs from "fs-extra";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";

import { docker, type Stack } from "./engine.ts";

/** Something that breaks in a running stack, what finds it, and how it is put right again. */
export interface Fault {
  name: string;
  /** Probes that fail, as `SERVICE PROBE` or `SERVICE.PROBE`; every other one passes or was not asked. */
  foundBy: readonly string[];
  /** Rules of the static part that find it as well. */
  rules?: readonly string[];
  /** @returns puts it right; after it, the stack is started again */
  inject: (stack: Stack) => Promise<() => Promise<unknown>>;
  /** Left out of the gate, which has others like it. */
  isOneOfMany?: boolean;
  /** Run the program under a clock that is this many seconds off. */
  clock?: number;
}

/** A Compose file of the stack that holds nothing until a fault needs it. */
export const FAULT_FILE = "fault.yaml";
export const NO_FAULT = "services: {}\n";

/** Writes the stack's file for faults, and starts it with that. */
async function overridden(stack: Stack, service: string, lines: string): Promise<() => Promise<unknown>> {
  const file = join(stack.dir, FAULT_FILE);
  fs.writeFileSync(file, `services:\n  ${service}:\n${lines}`);
  await stack.ok("up", "-d", "--wait");
  return async () => Promise.resolve(fs.writeFileSync(file, NO_FAULT));
}

/** Gives a variable another value in `.env`, without starting anything. */
async function changed(stack: Stack, name: string, value: string): Promise<() => Promise<unknown>> {
  const file = join(stack.dir, ".env");
  const before = fs.readFileSync(file, "utf8");
  fs.writeFileSync(
    file,
    before.replace(new RegExp(`^${name}=.*$`, "m"), () => `${name}=${value}`),
  );
  return async () => Promise.resolve(fs.writeFileSync(file, before));
}

/** Connects containers to a network that their file does not name. */
async function connected(network: string, containers: readonly string[]): Promise<() => Promise<unknown>> {
  for (const container of containers) await docker("network", "connect", network, container);
  return async () => {
    for (const container of containers) await docker("network", "disconnect", network, container);
  };
}

async function sql(stack: Stack, text: string): Promise<string> {
  const user = stack.env.get("POSTGRES_USER") ?? "";
  return stack.ok("exec", "-T", "postgres", "psql", "-h", "127.0.0.1", "-U", user, "-d", "postgres", "-XAtqc", text);
}

const WRONG = randomBytes(24).toString("hex");

const done = async (): Promise<void> => Promise.resolve();

/** What breaks in a stack named crewai of PostgreSQL and Qdrant, whose Qdrant has a volume of 16 MB. */
export const FAULTS: readonly Fault[] = [
  {
    name: "a container is stopped",
    foundBy: ["qdrant state"],
    inject: async () => {
      await docker("stop", "crewai_qdrant");
      return done;
    },
  },
  {
    name: "a container is paused",
    foundBy: ["qdrant state"],
    inject: async () => {
      await docker("pause", "crewai_qdrant");
      return async () => {
        await docker("unpause", "crewai_qdrant");
        // Its health check failed meanwhile, and would for some time.
        await docker("restart", "crewai_qdrant");
      };
    },
  },
  {
    name: "a container's network is cut",
    foundBy: ["postgres networks"],
    inject: async (stack) => {
      await docker("network", "disconnect", "crewai_network", "crewai_postgres");
      return async () => stack.ok("up", "-d", "--wait", "--force-recreate", "postgres");
    },
  },
  {
    name: "another network is connected",
    foundBy: ["postgres networks", "postgres.isolated", "qdrant networks", "qdrant.isolated"],
    inject: async () => connected("bridge", ["crewai_postgres", "crewai_qdrant"]),
  },
  {
    name: "a wrong password in .env",
    foundBy: ["postgres.round-trip", "postgres.least-rights", "postgres.own-database-only"],
    inject: async (stack) => {
      const url = stack.env.get("DATABASE_URL") ?? "";
      const undo = await changed(stack, "DATABASE_URL", url.replace(stack.env.get("APP_DB_PASSWORD") ?? "", WRONG));
      await changed(stack, "APP_DB_PASSWORD", WRONG);
      return undo;
    },
  },
  {
    name: "the application's database is missing",
    foundBy: ["postgres.round-trip", "postgres.least-rights"],
    inject: async (stack) => {
      await sql(stack, "ALTER DATABASE crewai RENAME TO gone");
      return async () => sql(stack, "ALTER DATABASE gone RENAME TO crewai");
    },
  },
  {
    name: "the application's role has too many rights",
    foundBy: ["postgres.least-rights"],
    inject: async (stack) => {
      await sql(stack, "ALTER ROLE crewai CREATEDB");
      return async () => sql(stack, "ALTER ROLE crewai NOCREATEDB");
    },
  },
  {
    name: "the application's role has too few rights",
    foundBy: ["postgres.round-trip"],
    inject: async (stack) => {
      await sql(stack, "ALTER DATABASE crewai OWNER TO postgres; GRANT CONNECT ON DATABASE crewai TO crewai");
      return async () => sql(stack, "ALTER DATABASE crewai OWNER TO crewai");
    },
  },
  {
    name: "the health check passes while nothing can be written",
    foundBy: ["postgres.round-trip"],
    inject: async (stack) => {
      await sql(stack, "ALTER DATABASE crewai SET default_transaction_read_only = on");
      return async () => sql(stack, "ALTER DATABASE crewai RESET default_transaction_read_only");
    },
  },
  {
    name: "Qdrant's key is empty",
    foundBy: ["qdrant.key-required", "qdrant.read-only-key"],
    inject: async (stack) =>
      overridden(
        stack,
        "qdrant",
        '    environment:\n      QDRANT__SERVICE__API_KEY: ""\n      QDRANT__SERVICE__READ_ONLY_API_KEY: ""\n',
      ),
  },
  {
    name: "a volume's disk is full",
    foundBy: ["qdrant disk", "qdrant.round-trip"],
    inject: async () => {
      await docker("exec", "crewai_qdrant", "sh", "-c", "cat /dev/zero > /qdrant/storage/full; true");
      return async () => docker("exec", "crewai_qdrant", "rm", "/qdrant/storage/full");
    },
  },
  {
    name: "the memory limit is hit",
    foundBy: ["qdrant memory"],
    inject: async () => {
      const eat = "const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1))";
      await docker("exec", "crewai_qdrant", "sh", "-c", `/opt/stand-in/node -e '${eat}'; true`);
      return async () => docker("restart", "crewai_qdrant");
    },
  },
  {
    name: "another program has taken the port",
    foundBy: ["qdrant ports", "qdrant state"],
    inject: async (stack) => {
      await docker("stop", "crewai_qdrant");
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(Number(stack.env.get("QDRANT_PORT")), "127.0.0.1", resolve));
      return async () =>
        new Promise((resolve) => {
          server.close(resolve);
        });
    },
  },
  {
    name: "another project's container has the port",
    foundBy: ["qdrant ports", "qdrant state"],
    inject: async (stack) => {
      await docker("stop", "crewai_qdrant");
      const port = `127.0.0.1:${stack.env.get("QDRANT_PORT") ?? ""}:6333`;
      await docker("run", "-d", "--name", "stranger", "-p", port, stack.env.get("QDRANT_IMAGE") ?? "");
      return async () => docker("rm", "-f", "-v", "stranger");
    },
  },
  {
    name: "an override file publishes a port on 0.0.0.0",
    foundBy: [],
    rules: ["loopback"],
    inject: async (stack) => overridden(stack, "qdrant", '    ports: !override ["0.0.0.0:6333:6333"]\n'),
  },
  {
    name: "a port is still open on 0.0.0.0, although the file was changed back",
    foundBy: ["qdrant ports"],
    inject: async (stack) => {
      const changeBack = await overridden(stack, "qdrant", '    ports: !override ["0.0.0.0:6333:6333"]\n');
      await changeBack();
      return done;
    },
  },
  {
    name: "a log grows until the disk is full",
    foundBy: ["qdrant log"],
    rules: ["log-rotation"],
    inject: async (stack) => overridden(stack, "qdrant", "    logging: !override { driver: json-file }\n"),
  },
  {
    name: "the clocks of host and engine differ",
    foundBy: ["clock"],
    clock: 600,
    inject: async () => Promise.resolve(done),
  },
];

/** What breaks in a whole stack named crewai. */
export const STACK_FAULTS: readonly Fault[] = [
  {
    name: "Langfuse takes spans in and never shows them",
    foundBy: ["langfuse.ingestion"],
    inject: async () => {
      // It holds still, and its health check has not noticed yet.
      await docker("kill", "--signal", "STOP", "crewai_langfuse_worker");
      return async () => docker("kill", "--signal", "CONT", "crewai_langfuse_worker");
    },
  },
  {
    name: "wrong passwords of ClickHouse and Valkey in .env",
    isOneOfMany: true,
    foundBy: ["clickhouse.reads", "clickhouse.housekeeping", "valkey.queue", "langfuse.queue"],
    inject: async (stack) => {
      const first = await changed(stack, "CLICKHOUSE_PASSWORD", WRONG);
      await changed(stack, "VALKEY_PASSWORD", `${WRONG}0`);
      return first;
    },
  },
  {
    name: "Langfuse's keys belong to no project",
    isOneOfMany: true,
    foundBy: ["langfuse.keys", "langfuse.ingestion"],
    inject: async (stack) => changed(stack, "LANGFUSE_SECRET_KEY", `sk-lf-${WRONG}`),
  },
  {
    name: "services of the Langfuse stack are connected to another network",
    foundBy: ["clickhouse", "langfuse", "seaweedfs", "valkey"].flatMap((name) => [
      `${name} networks`,
      `${name}.isolated`,
    ]),
    inject: async () =>
      connected("bridge", ["crewai_clickhouse", "crewai_langfuse", "crewai_seaweedfs", "crewai_valkey"]),
  },
  {
    name: "the queue may drop events",
    isOneOfMany: true,
    foundBy: ["valkey.queue"],
    inject: async (stack) => {
      const set = async (policy: string): Promise<string> =>
        stack.ok(
          "exec",
          "-T",
          "valkey",
          "sh",
          "-c",
          'REDISCLI_AUTH="$VALKEY_PASSWORD" valkey-cli CONFIG SET maxmemory-policy "$1"',
          "sh",
          policy,
        );
      await set("allkeys-lru");
      return async () => set("noeviction");
    },
  },
  {
    name: "the bucket is missing",
    isOneOfMany: true,
    foundBy: ["langfuse.objects", "langfuse.ingestion"],
    inject: async (stack) => {
      const weed = async (text: string): Promise<string> =>
        stack.fed(`${text}\n`, "exec", "-T", "seaweedfs", "weed", "shell", "-master=seaweedfs:9333");
      await weed("s3.bucket.delete -name langfuse");
      return async () => weed("s3.bucket.create -name langfuse");
    },
  },
  {
    name: "the health check passes while ClickHouse cannot read a table",
    foundBy: ["clickhouse.reads"],
    inject: async (stack) => {
      const query = async (text: string): Promise<string> =>
        stack.ok(
          "exec",
          "-T",
          "clickhouse",
          "sh",
          "-c",
          'printf %s "$1" | clickhouse-client --database system',
          "sh",
          text,
        );
      await query(
        "CREATE DATABASE broken ENGINE = Atomic; CREATE TABLE broken.one (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS min_bytes_for_wide_part = 0; INSERT INTO broken.one SELECT number FROM numbers(100000)",
      );
      const path = (
        await query("SELECT path FROM system.parts WHERE database = 'broken' AND active FORMAT TSVRaw")
      ).trim();
      await stack.ok("exec", "-T", "clickhouse", "sh", "-c", 'rm "$1"/n.*bin && [ ! -e "$1"/n.bin ]', "sh", path);
      return async () => {
        await query("DROP DATABASE broken");
        await docker("restart", "crewai_clickhouse");
      };
    },
  },
];
