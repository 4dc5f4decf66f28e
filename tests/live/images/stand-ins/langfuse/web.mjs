// STAND-IN for langfuse/langfuse 4 (web).
import { send, sendJson, serve } from "../lib/http.mjs";
import { endOnSignals, fatal, log } from "../lib/log.mjs";
import { api } from "./api.mjs";
import { migrate, seed } from "./schema.mjs";
import { settings } from "./settings.mjs";
import { openStores } from "./stores.mjs";

const VERSION = "4.16.0";

async function databaseAnswers({ database }) {
  try {
    await database.query("SELECT 1");
    return true;
  } catch {
    return false;
  }
}

function page(response, config) {
  const name = ["next-auth.session-token", config.cookieSuffix].filter(Boolean).join(".");
  send(response, 200, "<!doctype html><title>Langfuse stand-in</title><h1>This is a stand-in, not Langfuse</h1>\n", {
    "content-type": "text/html; charset=utf-8",
    "set-cookie": `${name}=stand-in; Path=/; HttpOnly; SameSite=Lax`,
  });
}

async function main() {
  process.env.STAND_IN_NAME = "langfuse-web";
  const config = settings("web");
  endOnSignals();
  const stores = await openStores(config);
  try {
    await migrate(stores);
    await seed(stores.database, config);
  } catch (error) {
    fatal("migration failed", { error: error.message });
  }
  const handler = async (request, response, url) => {
    switch (url.pathname) {
      case "/api/public/health":
        if (url.searchParams.get("failIfDatabaseUnavailable") === "true" && !(await databaseAnswers(stores))) {
          return sendJson(response, 503, { status: "Database not available", version: VERSION });
        }
        return sendJson(response, 200, { status: "OK", version: VERSION });
      case "/api/public/ready":
        return sendJson(response, 200, { status: "OK", version: VERSION });
      case "/":
        return page(response, config);
      default:
        return api(stores, config, request, response, url);
    }
  };
  const onError = (response, status, error) =>
    sendJson(response, status, { error: error.name ?? "Error", message: error.message });
  // As upstream: the engine sets HOSTNAME to the container's id, which resolves
  // to its network address only, so 127.0.0.1 is deaf unless it says 0.0.0.0.
  const host = process.env.HOSTNAME || "0.0.0.0";
  await serve({ port: Number(process.env.PORT || 3000), host, name: "web", handler, onError });
  log("ready", { version: VERSION, publicUrl: config.publicUrl });
}

main().catch((error) => fatal("start failed", { error: error.message }));
