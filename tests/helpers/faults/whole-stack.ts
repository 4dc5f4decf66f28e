import { docker } from "../engine.ts";
import { changed, connected, WRONG, type Fault } from "./fault.ts";

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
