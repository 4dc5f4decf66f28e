// Langfuse's public interface as far as a scaffold's tests use it, in the
// shapes of the public OpenAPI document.
import { randomUUID } from "node:crypto";
import { HttpError, readJson, sendJson } from "../lib/http.mjs";
import { log } from "../lib/log.mjs";
import { problemWith } from "./otel.mjs";
import { hashSecret } from "./schema.mjs";
import { QUEUE } from "./stores.mjs";

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

async function observations({ database }, project, params) {
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
  const { rows } = await database.query(
    `SELECT body FROM observations
      WHERE project_id = $1 AND ($2::text IS NULL OR trace_id = $2)
        AND ($3::timestamptz IS NULL OR start_time >= $3) AND ($4::timestamptz IS NULL OR start_time < $4)
        AND ($5::text IS NULL OR body->>'name' = $5) AND ($6::text IS NULL OR body->>'type' = $6)
      ORDER BY start_time DESC, id LIMIT $7 OFFSET $8`,
    [
      project.id,
      params.get("traceId"),
      params.get("fromStartTime"),
      params.get("toStartTime"),
      params.get("name"),
      params.get("type"),
      limit + 1,
      offset,
    ],
  );
  const wanted = [...groups].flatMap((name) => FIELDS[name]);
  const data = rows
    .slice(0, limit)
    .map(({ body }) => ({ ...ALWAYS, ...Object.fromEntries(wanted.map((name) => [name, body[name]])) }));
  return {
    data,
    meta: rows.length > limit ? { cursor: Buffer.from(String(offset + limit)).toString("base64url") } : {},
  };
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
    case "POST /api/public/ingestion":
      return sendJson(response, 207, await oldIngestion(request));
    default:
      if (/^GET \/api\/public\/traces\/[^/]+$/.test(route))
        throw new HttpError(404, "Trace not found within authorized project", { name: "LangfuseNotFoundError" });
      throw new HttpError(404, `stand-in: ${route} is not implemented`);
  }
}
