// STAND-IN for ClickHouse's server around ClickHouse's own engine (chDB): /ping, authentication and queries over HTTP; the
// native port only accepts connections.
import { createHash, timingSafeEqual } from "node:crypto";
import { mkdirSync } from "node:fs";
import { acceptOnly, HttpError, readBody, send, serve } from "../lib/http.mjs";
import { endOnSignals, fatal, log } from "../lib/log.mjs";
import { mustBeWritable } from "../lib/files.mjs";
import { readConfiguration } from "./config.mjs";
import { startEngine } from "./engine.mjs";

process.env.STAND_IN_NAME = "clickhouse";

mustBeWritable("/var/lib/clickhouse");
mustBeWritable("/var/log/clickhouse-server");
// Upstream's entry point takes this folder for "initialised already".
mkdirSync("/var/lib/clickhouse/data", { recursive: true });

let configuration;
try {
  configuration = readConfiguration("/etc/clickhouse-server");
} catch (error) {
  fatal("configuration cannot be read", { error: error.message });
}
const { user } = configuration;
const engine = startEngine("/var/lib/clickhouse");
endOnSignals(engine.end);
const version = (await engine.query("SELECT version()")).trim();
if (user.password === "") log("the user has no password", { level: "warning", user: user.name });

const exception = (status, code, name, text) =>
  new HttpError(status, `Code: ${code}. DB::Exception: ${text}. (${name}) (version ${version} stand-in)`, { code });
const digest = (text) => createHash("sha256").update(text).digest();

function authenticate(request, params) {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  let [name, password] = [request.headers["x-clickhouse-user"], request.headers["x-clickhouse-key"]];
  if (basic) {
    const text = Buffer.from(basic, "base64").toString("utf8");
    [name, password] = [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)];
  }
  name ??= params.get("user") ?? "default";
  password ??= params.get("password") ?? "";
  if (name !== user.name || !timingSafeEqual(digest(password), digest(user.password))) {
    throw exception(
      403,
      516,
      "AUTHENTICATION_FAILED",
      `${name}: Authentication failed: password is incorrect, or there is no user with such name`,
    );
  }
}

// As "Code: 60. DB::Exception: ...", like the real server's.
async function answer(sql) {
  try {
    return await engine.query(sql);
  } catch (error) {
    const code = Number(/^Code: (\d+)\./.exec(error.message)?.[1] ?? 1001);
    throw new HttpError(code === 60 || code === 81 ? 404 : 500, error.message, { code });
  }
}

async function handler(request, response, url) {
  if (url.pathname === "/ping" || url.pathname === "/replicas_status") return send(response, 200, "Ok.\n");
  if (url.pathname !== "/") throw new HttpError(404, `There is no handle ${url.pathname}`);
  const body = request.method === "POST" ? (await readBody(request)).toString("utf8") : "";
  const sql = [url.searchParams.get("query"), body].filter(Boolean).join("\n");
  if (sql === "") return send(response, 200, "Ok.\n");
  authenticate(request, url.searchParams);
  send(response, 200, await answer(sql), {
    "content-type": "text/plain; charset=UTF-8",
    "x-clickhouse-server-display-name": "stand-in",
  });
}

function onError(response, status, error) {
  send(response, status, `${error.message}\n`, {
    "content-type": "text/plain; charset=UTF-8",
    ...(error.code ? { "x-clickhouse-exception-code": String(error.code) } : {}),
  });
}

acceptOnly({ port: 9000, name: "native" });
await serve({ port: 8123, name: "http", handler, onError });
log("ready", { version, user: user.name, configuration: configuration.files });
