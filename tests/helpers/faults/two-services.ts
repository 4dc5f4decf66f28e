import { createServer } from "node:net";

import { docker, type Stack } from "../engine.ts";
import { changed, connected, overridden, WRONG, type Fault } from "./fault.ts";

async function sql(stack: Stack, text: string): Promise<string> {
  return stack.sql(text, stack.env.get("POSTGRES_USER") ?? "", "postgres");
}

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
