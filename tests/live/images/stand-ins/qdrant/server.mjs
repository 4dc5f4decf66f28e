// STAND-IN for Qdrant 1.19's REST interface, written from its public contract.
// It stores points and scores them for real, but it is not Qdrant.
import { randomUUID, timingSafeEqual } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { acceptOnly, HttpError, readJson, send, sendJson, serve } from "../lib/http.mjs";
import { endOnSignals, fatal, log } from "../lib/log.mjs";
import * as points from "./points.mjs";
import { checkChecksum, Snapshots, uploadedSnapshot } from "./snapshots.mjs";
import { Store } from "./store.mjs";

const VERSION = "1.19.0";
const env = process.env;
const started = new Date();
env.STAND_IN_NAME = "qdrant";
endOnSignals();

const store = new Store(env.QDRANT__STORAGE__STORAGE_PATH ?? "/qdrant/storage");
const snapshots = new Snapshots(env.QDRANT__STORAGE__SNAPSHOTS_PATH ?? "/qdrant/snapshots");
const id = randomUUID();
// Upstream takes an empty key for "no key": a trap worth keeping.
const fullKey = env.QDRANT__SERVICE__API_KEY ?? "";
const readKey = env.QDRANT__SERVICE__READ_ONLY_API_KEY ?? "";
if (fullKey === "") log("no API key is set: every request is served", { level: "warning" });

const OPEN = new Set(["/", "/healthz", "/readyz", "/livez"]);
const READING_POSTS = /^\/collections\/[^/]+\/points(\/(scroll|count|query))?$/;
const same = (a, b) => a !== "" && a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

function authorise(request, path) {
  if (OPEN.has(path) || (fullKey === "" && readKey === "")) return;
  const given = request.headers["api-key"] ?? /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (given === undefined)
    throw new HttpError(401, "Must provide an API key or an Authorization bearer token", { plain: true });
  if (same(fullKey, given)) return;
  if (!same(readKey, given)) throw new HttpError(401, "Invalid API key or JWT", { plain: true });
  const reads =
    request.method === "GET" || request.method === "HEAD" || (request.method === "POST" && READING_POSTS.test(path));
  if (!reads) throw new HttpError(403, "Forbidden: Write access is required");
}

const routes = [];
const on = (method, pattern, action) =>
  routes.push({ method, action, pattern: new RegExp(`^${pattern.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`) });
const update = (collection, wait) => {
  store.save(collection);
  return { operation_id: collection.operation, status: wait ? "completed" : "acknowledged" };
};
const fullDump = () =>
  JSON.stringify({
    format: "stand-in-full-1",
    aliases: store.aliasList(),
    collections: [...store.collections.values()].map((c) => store.dump(c)),
  });

on("GET", "/collections", () => ({ collections: [...store.collections.keys()].sort().map((name) => ({ name })) }));
on("GET", "/collections/:c", ({ c }) => store.info(store.find(c)));
on("GET", "/collections/:c/exists", ({ c }) => ({ exists: store.collections.has(store.aliases.get(c) ?? c) }));
on("PUT", "/collections/:c", ({ c, json }) => {
  store.create(c, json);
  log("collection created", { collection: c });
  return true;
});
on("DELETE", "/collections/:c", ({ c }) => store.delete(c));
on("PUT", "/collections/:c/index", ({ c, json, wait }) => {
  const collection = store.find(c);
  collection.schema[json.field_name] = json.field_schema?.type ?? json.field_schema ?? "keyword";
  collection.operation += 1;
  return update(collection, wait);
});
on("POST", "/collections/aliases", ({ json }) => {
  store.changeAliases(json.actions);
  return true;
});
on("GET", "/aliases", () => ({ aliases: store.aliasList() }));
on("GET", "/collections/:c/aliases", ({ c }) => ({ aliases: store.aliasList(store.find(c).name) }));
on("PUT", "/collections/:c/points", ({ c, json, wait }) => {
  const to = store.find(c);
  points.upsert(to, json);
  return update(to, wait);
});
on("POST", "/collections/:c/points/delete", ({ c, json, wait }) => {
  const from = store.find(c);
  points.remove(from, json);
  return update(from, wait);
});
on("POST", "/collections/:c/points", ({ c, json }) => points.retrieve(store.find(c), json));
on("POST", "/collections/:c/points/query", ({ c, json }) => points.query(store.find(c), json));
on("POST", "/collections/:c/points/scroll", ({ c, json }) => points.scroll(store.find(c), json));
on("POST", "/collections/:c/points/count", ({ c, json }) => points.count(store.find(c), json));
on("GET", "/collections/:c/points/:point", ({ c, point }) => points.getOne(store.find(c), point));

on("POST", "/collections/:c/snapshots", ({ c }) => {
  const from = store.find(c);
  return snapshots.create(from.name, store.dump(from));
});
on("GET", "/collections/:c/snapshots", ({ c }) => snapshots.list(store.find(c).name));
on("GET", "/collections/:c/snapshots/:name", ({ c, name, response }) =>
  snapshots.download(response, store.find(c).name, name),
);
on("DELETE", "/collections/:c/snapshots/:name", ({ c, name }) => snapshots.delete(store.find(c).name, name));
on("POST", "/collections/:c/snapshots/upload", async ({ c, request, query }) => {
  const priority = query.get("priority");
  if (priority && !["no_sync", "snapshot", "replica"].includes(priority))
    throw new HttpError(400, `Query deserialize error: unknown variant \`${priority}\``);
  if (priority !== "snapshot")
    log("restore without priority=snapshot: upstream may prefer the data it has", { level: "warning", collection: c });
  const data = await uploadedSnapshot(request);
  checkChecksum(data, query.get("checksum"));
  store.restore(store.aliases.get(c) ?? c, data.toString("utf8"));
  log("collection restored", { collection: c, bytes: data.length });
  return true;
});
on("POST", "/snapshots", () => snapshots.create(undefined, fullDump()));
on("GET", "/snapshots", () => snapshots.list());
on("GET", "/snapshots/:name", ({ name, response }) => snapshots.download(response, undefined, name));
on("DELETE", "/snapshots/:name", ({ name }) => snapshots.delete(undefined, name));
on("GET", "/telemetry", () => ({
  id,
  app: { name: "qdrant", version: VERSION, startup: started.toISOString() },
  collections: { number_of_collections: store.collections.size },
}));

function metrics() {
  const lines = [
    "# HELP app_info information about qdrant server",
    "# TYPE app_info gauge",
    `app_info{name="qdrant",version="${VERSION}"} 1`,
    "# HELP app_status_recovery_mode is recovery mode enabled",
    "# TYPE app_status_recovery_mode gauge",
    "app_status_recovery_mode 0",
    "# HELP collections_total number of collections",
    "# TYPE collections_total gauge",
    `collections_total ${store.collections.size}`,
    "# HELP collection_points amount of points per collection",
    "# TYPE collection_points gauge",
  ];
  for (const { name, points: all } of store.collections.values())
    lines.push(`collection_points{id=${JSON.stringify(name)}} ${all.size}`);
  return `${lines.join("\n")}\n`;
}

async function handler(request, response, url) {
  const begun = process.hrtime.bigint();
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/$/, "") : url.pathname;
  authorise(request, path);
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (method === "GET" && path === "/") {
    return sendJson(response, 200, { title: "qdrant - vector search engine", version: VERSION, commit: "stand-in" });
  }
  if (method === "GET" && OPEN.has(path)) {
    return send(response, 200, path === "/readyz" ? "all shards are ready" : `${path.slice(1)} check passed`, {
      "content-type": "text/plain; charset=utf-8",
    });
  }
  if (method === "GET" && path === "/metrics") return send(response, 200, metrics(), { "content-type": "text/plain" });
  for (const { method: wanted, pattern, action } of routes) {
    const match = wanted === method && pattern.exec(path);
    if (!match) continue;
    const parts = Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)]),
    );
    const upload = /^multipart\//i.test(request.headers["content-type"] ?? "");
    const json = upload || method === "GET" || method === "DELETE" ? {} : await readJson(request);
    const wait = url.searchParams.get("wait") === "true";
    const result = await action({ ...parts, json, wait, query: url.searchParams, request, response });
    if (result === undefined) return undefined; // the action answers by itself
    const time = Number(process.hrtime.bigint() - begun) / 1e9;
    // Snapshot work is queued, and answered without a result, unless one waits.
    const queued = url.searchParams.get("wait") === "false" && path.includes("/snapshots");
    return queued
      ? sendJson(response, 202, { status: "accepted", time })
      : sendJson(response, 200, { result, status: "ok", time });
  }
  throw new HttpError(
    404,
    `stand-in: ${request.method} ${path} is not implemented here or not in the 1.19.0 contract (searching is points/query)`,
  );
}

function onError(response, status, error) {
  // Upstream's authentication layer answers in plain text, the rest in JSON.
  if (error.plain) return send(response, status, error.message, { "content-type": "text/plain; charset=utf-8" });
  sendJson(response, status, { status: { error: error.message }, time: 0 });
}

/** --storage-snapshot PATH [--force-snapshot]: a full restore at start. */
function restoreAtStart(args) {
  const at = args.indexOf("--storage-snapshot");
  if (at < 0) return;
  if (store.collections.size > 0 && !args.includes("--force-snapshot")) {
    fatal("collections exist already: --force-snapshot is needed to replace them");
  }
  try {
    const full = JSON.parse(readFileSync(args[at + 1], "utf8"));
    for (const text of full.collections) store.restore(JSON.parse(text).name, text);
    store.changeAliases(full.aliases.map((create_alias) => ({ create_alias })));
    log("full snapshot restored", { collections: full.collections.length });
  } catch (error) {
    fatal("full snapshot cannot be restored", { error: error.message });
  }
}

restoreAtStart(process.argv.slice(2));
const initFile = env.QDRANT_INIT_FILE_PATH || ".qdrant-initialized";
try {
  writeFileSync(initFile, "");
} catch (error) {
  log("cannot write the file that marks a finished start", { level: "warning", file: initFile, error: error.message });
}
acceptOnly({ port: Number(env.QDRANT__SERVICE__GRPC_PORT ?? 6334), name: "grpc" });
await serve({ port: Number(env.QDRANT__SERVICE__HTTP_PORT ?? 6333), name: "rest", handler, onError });
log("ready", { version: VERSION, collections: store.collections.size });
