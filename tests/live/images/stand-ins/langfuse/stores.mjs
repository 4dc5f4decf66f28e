// The four stores behind Langfuse, each really spoken to: PostgreSQL by its
// driver, Redis by its protocol, ClickHouse over HTTP, S3 with signatures.
import { randomUUID } from "node:crypto";
import http from "node:http";
import net from "node:net";
import pg from "pg";
import { retrying } from "../lib/http.mjs";
import { fatal, log } from "../lib/log.mjs";
import { RedisClient } from "../lib/resp.mjs";
import { S3Client } from "../lib/s3-client.mjs";

// Upstream's queues are BullMQ's: what waits and what is under way are these two lists.
export const QUEUE = "bull:otel-ingestion-queue:wait";
export const IN_WORK = "bull:otel-ingestion-queue:active";

/** A connection that is made anew when the server was restarted. */
class Redis {
  constructor(options) {
    this.options = options;
  }

  async command(...words) {
    if (!this.client || this.client.closed) this.client = await RedisClient.connect(this.options);
    return this.client.command(...words);
  }

  /** One more connection: a blocking command holds its own. */
  another() {
    return new Redis(this.options);
  }
}

function clickhouseQuery({ url, user, password }, sql) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      url,
      { method: "POST", timeout: 5000, headers: { "x-clickhouse-user": user, "x-clickhouse-key": password } },
      (response) => {
        let text = "";
        response
          .setEncoding("utf8")
          .on("data", (part) => {
            text += part;
          })
          .on("end", () => {
            if (response.statusCode === 200) return resolve(text.trim());
            reject(
              Object.assign(new Error(`ClickHouse answered ${response.statusCode}: ${text.trim().slice(0, 200)}`), {
                permanent: response.statusCode === 403,
              }),
            );
          });
      },
    );
    request.on("timeout", () => request.destroy(new Error("ClickHouse does not answer")));
    request.on("error", reject);
    request.end(sql);
  });
}

/** As a text in SQL of ClickHouse. */
export const literal = (text) => `'${String(text).replace(/[\\']/g, "\\$&")}'`;

function portOpens({ hostname, port }) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: hostname, port: Number(port), timeout: 5000 }, () => {
      socket.destroy();
      resolve();
    });
    socket.on("timeout", () => socket.destroy(new Error("timed out")));
    socket.on("error", reject);
  });
}

async function s3RoundTrip(s3, prefix) {
  const key = `${prefix}stand-in-probe/${randomUUID()}`;
  await s3.put(key, key);
  const back = (await s3.get(key)).toString("utf8");
  await s3.delete(key);
  if (back !== key) throw new Error("S3 gave back something else than was stored");
}

/** Reaches every store or ends the process: half a stack must not look up. */
export async function openStores(config) {
  const must = async (what, action) => {
    try {
      const value = await retrying(5, 1000, action);
      log("store reached", { store: what });
      return value;
    } catch (error) {
      return fatal("store cannot be used", { store: what, error: error.message || String(error.code ?? error) });
    }
  };
  const database = new pg.Pool({ connectionString: config.databaseUrl, max: 4, connectionTimeoutMillis: 3000 });
  // Without a listener, a server restart would end this process.
  database.on("error", (error) => log("database connection lost", { level: "warning", error: error.message }));
  const server = await must("postgres", async () => {
    const { rows } = await database.query(
      "SELECT current_setting('server_version_num')::int AS version, current_setting('TimeZone') AS zone",
    );
    return rows[0];
  });
  if (server.version < 150000) fatal("PostgreSQL is too old", { version: server.version });
  if (!/^(Etc\/)?(UTC|GMT|UCT)$/i.test(server.zone))
    log("PostgreSQL is not on UTC: upstream's times would be wrong", { level: "warning", zone: server.zone });

  const redis = new Redis(config.redis);
  await must("redis", () => redis.command("PING"));
  const policy = await redis.command("CONFIG", "GET", "maxmemory-policy").catch(() => []);
  if (policy?.[1] !== "noeviction")
    log("Redis' maxmemory-policy is not noeviction: queued jobs may be lost", {
      level: "warning",
      policy: policy?.[1] ?? "unknown",
    });

  await must("clickhouse", () => clickhouseQuery(config.clickhouse, "SELECT version()"));
  await must("clickhouse native port", () => portOpens(config.clickhouse.migration));

  const s3 = new S3Client(config.s3);
  await must("s3", () => s3RoundTrip(s3, config.prefix));
  return { database, redis, s3, clickhouse: (sql) => clickhouseQuery(config.clickhouse, sql) };
}
