// Assertions of the Node parts of the self-test, and a plain HTTP client.
import http from "node:http";

export async function check(text, action) {
  try {
    await action();
    console.log(`ok - ${text}`);
  } catch (error) {
    console.log(`not ok - ${text}\n    ${String(error?.message ?? error).replaceAll("\n", "\n    ")}`);
  }
}

export function call(method, url, { headers = {}, json, body } = {}) {
  const data = json === undefined ? body : JSON.stringify(json);
  const all = { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: all, timeout: 15_000 }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => {
        const raw = Buffer.concat(parts);
        let parsed;
        try {
          parsed = JSON.parse(raw.toString("utf8"));
        } catch {
          parsed = undefined;
        }
        resolve({
          status: response.statusCode,
          headers: response.headers,
          raw,
          text: raw.toString("utf8"),
          json: parsed,
        });
      });
    });
    request.on("timeout", () => request.destroy(new Error(`no answer from ${url}`)));
    request.on("error", reject);
    request.end(data);
  });
}
