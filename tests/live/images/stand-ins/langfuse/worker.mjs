// STAND-IN for langfuse/langfuse-worker 4: takes jobs off Redis, reads the
// event from S3, stores observations. It never migrates.
import { sendJson, serve } from "../lib/http.mjs";
import { endOnSignals, fatal, log } from "../lib/log.mjs";
import { observationsOf } from "./otel.mjs";
import { isMigrated, OBSERVATIONS } from "./schema.mjs";
import { settings } from "./settings.mjs";
import { IN_WORK, openStores, QUEUE } from "./stores.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let stopping = false;

// Both can be done twice: after a crash, the same job comes again.
async function store({ database, clickhouse }, key, found) {
  for (const item of found) {
    await database.query(
      `INSERT INTO traces (id, project_id, name) VALUES ($1, $2, $3)
         ON CONFLICT (project_id, id) DO UPDATE SET name = coalesce(excluded.name, traces.name)`,
      [item.traceId, item.projectId, item.traceName],
    );
  }
  const rows = found.map((item) =>
    JSON.stringify({
      project_id: item.projectId,
      trace_id: item.traceId,
      id: item.id,
      start_ms: Date.parse(item.startTime),
      name: item.name,
      type: item.type,
      s3_key: key,
      body: JSON.stringify(item),
    }),
  );
  if (rows.length > 0) await clickhouse(`INSERT INTO ${OBSERVATIONS} FORMAT JSONEachRow\n${rows.join("\n")}`);
}

async function consume({ database, clickhouse, redis, s3 }) {
  const blocking = redis.another();
  let last;
  while (!stopping) {
    try {
      if (last === undefined) {
        // What an earlier worker died over goes back into the queue.
        while ((await blocking.command("RPOPLPUSH", IN_WORK, QUEUE)) !== null);
        last = null;
      }
      const job = await blocking.command("BRPOPLPUSH", QUEUE, IN_WORK, 1);
      if (job === null) continue;
      const { key, projectId, receivedAt } = JSON.parse(job);
      const found = observationsOf(JSON.parse((await s3.get(key)).toString("utf8")), projectId, receivedAt);
      await store({ database, clickhouse }, key, found);
      await redis.command("LREM", IN_WORK, 1, job);
      log("job done", { key, observations: found.length });
    } catch (error) {
      if (stopping) return;
      log("job failed, will be tried again", { level: "error", error: error.message });
      last = undefined;
      await pause(1000);
    }
  }
}

async function main() {
  process.env.STAND_IN_NAME = "langfuse-worker";
  const config = settings("worker");
  endOnSignals(() => {
    stopping = true;
  });
  const stores = await openStores(config);
  const limit = Date.now() + 30_000;
  while (!(await isMigrated(stores.database))) {
    if (Date.now() > limit) fatal("the database is not migrated: web does that, and must be healthy first");
    await pause(1000);
  }
  void consume(stores);
  const handler = async (request, response, url) => {
    if (url.pathname !== "/api/health" && url.pathname !== "/api/ready")
      return sendJson(response, 404, { error: "Not found" });
    await stores.database.query("SELECT 1");
    await stores.redis.command("PING");
    return sendJson(response, 200, { status: "ok" });
  };
  const onError = (response, status, error) => sendJson(response, 503, { status: "error", message: error.message });
  await serve({ port: Number(process.env.PORT || 3030), name: "worker", handler, onError });
  log("ready", {});
}

main().catch((error) => fatal("start failed", { error: error.message }));
