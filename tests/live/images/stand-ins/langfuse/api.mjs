// Langfuse's public interface as far as a scaffold's tests use it, in the
// shapes of the public OpenAPI document.
import { randomUUID } from "node:crypto";
import { HttpError, readJson, sendJson } from "../lib/http.mjs";
import { log } from "../lib/log.mjs";
import { problemWith } from "./otel.mjs";
import { hashSecret, OBSERVATIONS } from "./schema.mjs";
import { literal, QUEUE } from "./stores.mjs";

// The document requires these in every observation, whatever was asked for.
const ALWAYS = { modelId: null, inputPrice: null, outputPrice: null, totalPrice: null };
const FIELDS = {
  core: ["id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type"],
  basic: [
    "name",
    "level",
    "statusMessage",
    "version",
    "environment",
    "bookmarked",
    "public",
    "userId",
    "sessionId",
    "isRootObservation",
  ],
  time: ["completionStartTime", "createdAt", "updatedAt"],
  io: ["input", "output"],
  metadata: ["metadata"],
  model: ["providedModelName", "internalModelId", "modelParameters"],
  usage: ["usageDetails", "costDetails", "totalCost", "usagePricingTierName"],
  prompt: ["promptId", "promptName", "promptVersion"],
  metrics: ["latency", "timeToFirstToken"],
  trace_context: ["tags", "release", "traceName"],
};

async function authenticated({ database }, config, request) {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (!basic) throw new HttpError(401, "No authorization header");
  const [publicKey, ...secret] = Buffer.from(basic, "base64").toString("utf8").split(":");
  const { rows } = await database.query(
    `SELECT p.id, p.name, o.id AS org_id, o.name AS org_name FROM api_keys k
       JOIN projects p ON p.id = k.project_id JOIN organizations o ON o.id = p.org_id
      WHERE k.public_key = $1 AND k.hashed_secret_key = $2`,
    [publicKey, hashSecret(secret.join(":"), config.salt)],
  );
  if (rows.length === 0)
    throw new HttpError(401, "Invalid credentials. Confirm that you've configured the correct host.");
  return rows[0];
}

async function ingestTraces({ redis, s3 }, config, request, project) {
  if (!/^application\/json/i.test(request.headers["content-type"] ?? ""))
    throw new HttpError(400, "stand-in: only the JSON encoding of OTLP is implemented");
  const body = await readJson(request);
  const problem = problemWith(body);
  if (problem) throw new HttpError(400, problem);
  if (request.headers["x-langfuse-ingestion-version"] !== "4") {
    // The trap worth keeping: the answer is 200 and nothing is ever found.
    log("spans dropped: header x-langfuse-ingestion-version: 4 is missing", { level: "warning", project: project.id });
    return {};
  }
  const key = `${config.prefix}otel/${project.id}/${new Date().toISOString().slice(0, 16).replace(/[-T:]/g, "/")}/${randomUUID()}.json`;
  await s3.put(key, JSON.stringify(body));
  await redis.command(
    "LPUSH",
    QUEUE,
    JSON.stringify({ key, projectId: project.id, receivedAt: new Date().toISOString() }),
  );
  log("spans queued", { project: project.id, key });
  return {};
}

async function observations({ clickhouse }, project, params) {
  const groups = new Set(["core", ...(params.get("fields") ?? "basic").split(",").map((name) => name.trim())]);
  const unknown = [...groups].filter((name) => !FIELDS[name]);
  if (unknown.length > 0) throw new HttpError(400, `Invalid request data: unknown field groups ${unknown.join(", ")}`);
  for (const name of ["fromStartTime", "toStartTime"]) {
    if (params.get(name) && Number.isNaN(Date.parse(params.get(name))))
      throw new HttpError(400, `Invalid request data: ${name} is no date`);
  }
  const limit = Number(params.get("limit") ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new HttpError(400, "Invalid request data: limit");
  const offset = Number(Buffer.from(params.get("cursor") ?? "", "base64url").toString() || 0);
  if (!Number.isInteger(offset) || offset < 0) throw new HttpError(400, "Invalid request data: cursor");
  const when = (name, sign) => params.get(name) && `start_ms ${sign} ${Date.parse(params.get(name))}`;
  const equals = (column, name) => params.get(name) && `${column} = ${literal(params.get(name))}`;
  const conditions = [
    `project_id = ${literal(project.id)}`,
    equals("trace_id", "traceId"),
    when("fromStartTime", ">="),
    when("toStartTime", "<"),
    equals("name", "name"),
    equals("type", "type"),
  ].filter(Boolean);
  const text = await clickhouse(
    `SELECT body FROM ${OBSERVATIONS} FINAL WHERE ${conditions.join(" AND ")}
       ORDER BY start_ms DESC, id LIMIT ${limit + 1} OFFSET ${offset} FORMAT JSONEachRow`,
  );
  const rows = text === "" ? [] : text.split("\n").map((line) => ({ body: JSON.parse(JSON.parse(line).body) }));
  const wanted = [...groups].flatMap((name) => FIELDS[name]);
  const data = rows
    .slice(0, limit)
    .map(({ body }) => ({ ...ALWAYS, ...Object.fromEntries(wanted.map((name) => [name, body[name]])) }));
  return {
    data,
    meta: rows.length > limit ? { cursor: Buffer.from(String(offset + limit)).toString("base64url") } : {},
  };
}

// The stand-in's own: whether what one store refers to is in the others. Traces are in PostgreSQL, their observations in
// ClickHouse, and the events that those were made of in S3.
async function references({ database, clickhouse, s3 }) {
  const { rows } = await database.query("SELECT id FROM traces");
  const traces = new Set(rows.map(({ id }) => id));
  const text = await clickhouse(`SELECT trace_id, s3_key FROM ${OBSERVATIONS} FINAL FORMAT JSONEachRow`);
  const found = text === "" ? [] : text.split("\n").map((line) => JSON.parse(line));
  const missing = [];
  const seen = new Set(found.map(({ trace_id: id }) => id));
  for (const id of traces) if (!seen.has(id)) missing.push(`trace ${id} has no observation`);
  for (const { trace_id: id, s3_key: key } of found) {
    if (!traces.has(id)) missing.push(`an observation is of the trace ${id}, which is not there`);
    await s3.get(key).catch((error) => missing.push(`object ${key}: ${error.message}`));
  }
  return { traces: traces.size, observations: found.length, missing };
}

// What is deleted is deleted by the worker upstream, a while later; here at once.
async function removeTrace({ database, clickhouse }, project, id) {
  await database.query("DELETE FROM traces WHERE project_id = $1 AND id = $2", [project.id, id]);
  await clickhouse(
    `DELETE FROM ${OBSERVATIONS} WHERE project_id = ${literal(project.id)} AND trace_id = ${literal(id)}`,
  );
  log("trace deleted", { project: project.id, trace: id });
  return { message: "Trace deleted successfully" };
}

async function oldIngestion(request) {
  const { batch } = await readJson(request);
  if (!Array.isArray(batch)) throw new HttpError(400, "Invalid request data: batch must be an array");
  // v4 answers "multi-status" and takes none of the old event types.
  const errors = batch.map((event) => ({
    id: String(event?.id ?? "unknown"),
    status: 400,
    message: "Event type is not accepted any more: send OpenTelemetry spans",
    error: null,
  }));
  log("old ingestion refused", { level: "warning", events: errors.length });
  return { successes: [], errors };
}

export async function api(stores, config, request, response, url) {
  const route = `${request.method} ${url.pathname.replace(/\/$/, "")}`;
  const project = await authenticated(stores, config, request);
  switch (route) {
    case "GET /api/public/projects":
      return sendJson(response, 200, {
        data: [
          {
            id: project.id,
            name: project.name,
            organization: { id: project.org_id, name: project.org_name },
            metadata: {},
          },
        ],
      });
    case "POST /api/public/otel/v1/traces":
      return sendJson(response, 200, await ingestTraces(stores, config, request, project));
    case "GET /api/public/v2/observations":
      return sendJson(response, 200, await observations(stores, project, url.searchParams));
    case "GET /api/stand-in/references":
      return sendJson(response, 200, await references(stores));
    case "POST /api/public/ingestion":
      return sendJson(response, 207, await oldIngestion(request));
    default: {
      const deleted = /^DELETE \/api\/public\/traces\/([^/]+)$/.exec(route)?.[1];
      if (deleted !== undefined)
        return sendJson(response, 200, await removeTrace(stores, project, decodeURIComponent(deleted)));
      if (/^GET \/api\/public\/traces\/[^/]+$/.test(route))
        throw new HttpError(404, "Trace not found within authorized project", { name: "LangfuseNotFoundError" });
      throw new HttpError(404, `stand-in: ${route} is not implemented`);
    }
  }
}
