// The little HTTP that the stand-ins share.
import http from "node:http";
import net from "node:net";
import { fatal, log } from "./log.mjs";

export class HttpError extends Error {
  constructor(status, message, extra = {}) {
    super(message);
    this.status = status;
    Object.assign(this, extra);
  }
}

export async function readBody(request, limit = 64 * 1024 * 1024) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > limit) throw new HttpError(413, `request body is over ${limit} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export async function readJson(request) {
  const body = await readBody(request);
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new HttpError(400, `Format error in JSON body: ${error.message}`);
  }
}

export function send(response, status, body, headers = {}) {
  const data = Buffer.isBuffer(body) ? body : Buffer.from(body ?? "");
  response.writeHead(status, { "content-length": data.length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : data);
}

export function sendJson(response, status, value, headers = {}) {
  send(response, status, JSON.stringify(value), { "content-type": "application/json", ...headers });
}

/** Serves handler(request, response, url); a throw becomes onError's answer. */
export function serve({ port, host = "0.0.0.0", name, handler, onError }) {
  const server = http.createServer((request, response) => {
    let url;
    try {
      url = new URL(request.url, "http://stand-in");
    } catch {
      return send(response, 400, "bad request target");
    }
    Promise.resolve()
      .then(() => handler(request, response, url))
      .catch((error) => {
        const status = error.status ?? 500;
        if (status >= 500) log("request failed", { path: url.pathname, error: String(error.stack ?? error) });
        if (response.headersSent) return response.destroy();
        onError(response, status, error, request);
      });
  });
  server.on("error", (error) => fatal("cannot listen", { name, host, port, error: error.message }));
  return new Promise((resolve) => {
    server.listen(port, host, () => {
      log("listening", { name, host, port });
      resolve(server);
    });
  });
}

/** A port that accepts and holds connections without speaking its protocol. */
export function acceptOnly({ port, name, host = "0.0.0.0" }) {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.setTimeout(30_000, () => socket.destroy());
    socket.resume();
  });
  server.on("error", (error) => fatal("cannot listen", { name, port, error: error.message }));
  server.listen(port, host, () => log("listening", { name, port, note: "accepts connections only" }));
  return server;
}

export function retrying(attempts, pauseMs, action) {
  return (async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await action();
      } catch (error) {
        if (attempt >= attempts || error.permanent) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  })();
}
