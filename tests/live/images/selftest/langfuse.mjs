// The round trip: node langfuse.mjs BASE PUBLIC_KEY SECRET_KEY
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { call, check } from "./check.mjs";
import { matchesContract } from "./contract.mjs";

const [base, publicKey, secretKey] = process.argv.slice(2);
const basic = (secret = secretKey) => ({
  authorization: `Basic ${Buffer.from(`${publicKey}:${secret}`).toString("base64")}`,
});

async function api(method, path, template, { status = 200, headers = basic(), ...options } = {}) {
  const answer = await call(method, base + path, { ...options, headers: { ...headers, ...options.extra } });
  assert.equal(answer.status, status, `${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
  matchesContract("langfuse-openapi", method, template ?? path.split("?")[0], answer);
  return answer.json;
}

const trace = () => {
  const traceId = randomBytes(16).toString("hex");
  const start = BigInt(Date.now()) * 1_000_000n;
  const span = {
    traceId,
    spanId: randomBytes(8).toString("hex"),
    name: "round trip",
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 5_000_000n),
    attributes: [
      { key: "langfuse.observation.input", value: { stringValue: "question" } },
      { key: "langfuse.observation.output", value: { stringValue: "answer" } },
    ],
  };
  return {
    traceId,
    body: {
      resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: { name: "selftest" }, spans: [span] }] }],
    },
  };
};
const T = "/api/public/otel/v1/traces";
const find = (traceId) =>
  api(
    "GET",
    `/api/public/v2/observations?traceId=${traceId}&fields=core,basic,io&fromStartTime=${new Date(Date.now() - 60_000).toISOString()}`,
  );

await check("langfuse: health names 4.16.0", async () =>
  assert.equal((await api("GET", "/api/public/health")).version, "4.16.0"),
);
await check("langfuse: the project was provisioned", async () =>
  assert.deepEqual(
    (await api("GET", "/api/public/projects")).data.map(({ id, name }) => [id, name]),
    [["project-1", "Self test"]],
  ),
);
await check("langfuse: a wrong secret and no credentials get 401", async () => {
  await api("GET", "/api/public/projects", undefined, { status: 401, headers: basic("wrong") });
  await api("GET", "/api/public/projects", undefined, { status: 401, headers: {} });
});
await check("langfuse: a trace comes back with its input and output, and can be deleted", async () => {
  const { traceId, body } = trace();
  await api("POST", T, T, { json: body, extra: { "x-langfuse-ingestion-version": "4" } });
  let data = [];
  for (let left = 60; left > 0 && data.length === 0; left -= 1) {
    ({ data } = await find(traceId));
    if (data.length === 0) await new Promise((resolve) => setTimeout(resolve, 250));
  }
  assert.deepEqual(
    data.map(({ name, input, output }) => ({ name, input, output })),
    [{ name: "round trip", input: "question", output: "answer" }],
  );
  const path = `/api/public/traces/${traceId}`;
  await api("DELETE", path, "/api/public/traces/{traceId}");
  assert.deepEqual((await find(traceId)).data, []);
});
await check("langfuse: without the version header it answers 200 and keeps nothing", async () => {
  const { traceId, body } = trace();
  await api("POST", T, T, { json: body });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.deepEqual((await find(traceId)).data, []);
});
await check(
  "langfuse: a malformed request is refused",
  async () => void (await api("POST", T, T, { status: 400, json: { resourceSpans: "x" } })),
);
await check("langfuse: the old ingestion answers 207 and takes nothing", async () => {
  const answer = await api("POST", "/api/public/ingestion", undefined, {
    status: 207,
    json: { batch: [{ id: "e1", type: "trace-create", timestamp: new Date().toISOString(), body: {} }] },
  });
  assert.deepEqual([answer.successes, answer.errors.map(({ id }) => id)], [[], ["e1"]]);
});
await check(
  "langfuse: the old trace interface is 404",
  async () => void (await api("GET", "/api/public/traces/abc", "/api/public/traces/{traceId}", { status: 404 })),
);
await check("langfuse: the page says stand-in and the cookie carries the suffix", async () => {
  const page = await call("GET", `${base}/`);
  assert.match(page.text, /stand-in/);
  assert.match(String(page.headers["set-cookie"]), /session-token\.selftest=/);
});
