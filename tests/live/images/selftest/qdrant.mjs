// Qdrant's REST interface: node qdrant.mjs BASE KEY READ_KEY fill|survived
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { call, check } from "./check.mjs";
import { matchesContract } from "./contract.mjs";

const [base, key, readKey, phase] = process.argv.slice(2);
const C = "/collections/docs";
const T = "/collections/{collection_name}";

/** A call whose answer must have `status` and the contract's shape. */
async function api(method, path, template, { status = 200, as = key, ...options } = {}) {
  const answer = await call(method, base + path, {
    ...options,
    headers: { ...(as ? { "api-key": as } : {}), ...options.headers },
  });
  assert.equal(answer.status, status, `${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
  if (answer.json !== undefined) matchesContract("qdrant-openapi", method, template ?? path, answer);
  return answer.json?.result ?? answer;
}

function multipart(data) {
  const mark = "----selftest";
  return {
    headers: { "content-type": `multipart/form-data; boundary=${mark}` },
    body: Buffer.concat([
      Buffer.from(
        `--${mark}\r\nContent-Disposition: form-data; name="snapshot"; filename="s.snapshot"\r\nContent-Type: application/octet-stream\r\n\r\n`,
      ),
      data,
      Buffer.from(`\r\n--${mark}--\r\n`),
    ]),
  };
}
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const points = [
  { id: 1, vector: [1, 0, 0], payload: { city: "Berlin", n: 1 } },
  { id: 2, vector: [0, 1, 0], payload: { city: "London", n: 2 } },
  { id: "5c56c793-69f3-4fbf-87e6-c4bf54c28c26", vector: [0.9, 0.1, 0], payload: { city: "Berlin", n: 3 } },
];

async function fill() {
  await check("qdrant: / names version 1.19.0 without a key", async () => {
    const root = await call("GET", `${base}/`);
    assert.equal(root.json.version, "1.19.0");
    matchesContract("qdrant-openapi", "GET", "/", root);
  });
  for (const path of ["/healthz", "/readyz", "/livez"]) {
    await check(`qdrant: ${path} needs no key`, async () => assert.equal((await call("GET", base + path)).status, 200));
  }
  await check("qdrant: no key and a wrong key get 401, a read-only key 403 for writes", async () => {
    assert.equal((await call("GET", `${base}/collections`)).status, 401);
    assert.equal((await call("GET", `${base}/collections`, { headers: { "api-key": "wrong" } })).status, 401);
    await api("GET", "/collections", undefined, { as: readKey });
    await api("PUT", C, T, { as: readKey, status: 403, json: { vectors: { size: 3, distance: "Dot" } } });
    assert.equal(
      (await call("GET", `${base}/collections`, { headers: { authorization: `Bearer ${key}` } })).status,
      200,
    );
  });
  await check("qdrant: telemetry and metrics", async () => {
    await api("GET", "/telemetry");
    assert.match((await api("GET", "/metrics")).text, /app_info\{name="qdrant",version="1\.19\.0"\} 1/);
  });
  await check("qdrant: collections are made, described, and not made twice", async () => {
    assert.equal(await api("PUT", C, T, { json: { vectors: { size: 3, distance: "Cosine" } } }), true);
    await api("PUT", C, T, { status: 409, json: { vectors: { size: 3, distance: "Cosine" } } });
    assert.equal((await api("GET", C, T)).config.params.vectors.size, 3);
    assert.deepEqual(await api("GET", `${C}/exists`, `${T}/exists`), { exists: true });
    assert.deepEqual(await api("GET", "/collections/none/exists", `${T}/exists`), { exists: false });
    await api("GET", "/collections/none", T, { status: 404 });
    assert.deepEqual(await api("GET", "/collections"), { collections: [{ name: "docs" }] });
  });
  await check("qdrant: points go in; a wrong dimension or id does not", async () => {
    assert.equal((await api("PUT", `${C}/points?wait=true`, `${T}/points`, { json: { points } })).status, "completed");
    assert.equal(
      (await api("PUT", `${C}/points`, `${T}/points`, { json: { points: points.slice(0, 1) } })).status,
      "acknowledged",
    );
    await api("PUT", `${C}/points`, `${T}/points`, { status: 400, json: { points: [{ id: 9, vector: [1, 2] }] } });
    await api("PUT", `${C}/points`, `${T}/points`, { status: 400, json: { points: [{ id: "x", vector: [1, 2, 3] }] } });
  });
  await check("qdrant: count, retrieve, one point, scroll with pages", async () => {
    assert.equal((await api("POST", `${C}/points/count`, `${T}/points/count`, { json: { exact: true } })).count, 3);
    assert.equal((await api("POST", `${C}/points`, `${T}/points`, { json: { ids: [1, 99] } })).length, 1);
    assert.equal((await api("GET", `${C}/points/2`, `${T}/points/{id}`)).payload.city, "London");
    await api("GET", `${C}/points/99`, `${T}/points/{id}`, { status: 404 });
    const first = await api("POST", `${C}/points/scroll`, `${T}/points/scroll`, { json: { limit: 2 } });
    assert.deepEqual(
      first.points.map(({ id }) => id),
      [1, 2],
    );
    const second = await api("POST", `${C}/points/scroll`, `${T}/points/scroll`, {
      json: { limit: 2, offset: first.next_page_offset },
    });
    assert.deepEqual([second.points[0].id, second.next_page_offset], [points[2].id, null]);
  });
  await check("qdrant: queries score for real and filter", async () => {
    const all = await api("POST", `${C}/points/query`, `${T}/points/query`, {
      json: { query: [1, 0, 0], limit: 2, with_payload: true },
    });
    assert.deepEqual(
      all.points.map(({ id }) => id),
      [1, points[2].id],
    );
    assert.ok(Math.abs(all.points[1].score - 0.9 / Math.hypot(0.9, 0.1)) < 1e-5);
    const filter = { must: [{ key: "city", match: { value: "London" } }] };
    assert.deepEqual(
      (await api("POST", `${C}/points/query`, `${T}/points/query`, { json: { query: [1, 0, 0], filter } })).points.map(
        ({ id }) => id,
      ),
      [2],
    );
    for (const [distance, best] of [
      ["Dot", 2],
      ["Euclid", 1],
      ["Manhattan", 1],
    ]) {
      await api("PUT", "/collections/other", T, { json: { vectors: { size: 2, distance } } });
      await api("PUT", "/collections/other/points?wait=true", `${T}/points`, {
        json: {
          points: [
            { id: 1, vector: [1, 1] },
            { id: 2, vector: [9, 9] },
          ],
        },
      });
      assert.equal(
        (await api("POST", "/collections/other/points/query", `${T}/points/query`, { json: { query: [1, 1] } }))
          .points[0].id,
        best,
        distance,
      );
      assert.equal(await api("DELETE", "/collections/other", T), true);
    }
  });
  await check("qdrant: aliases", async () => {
    await api("POST", "/collections/aliases", undefined, {
      json: { actions: [{ create_alias: { alias_name: "live", collection_name: "docs" } }] },
    });
    assert.deepEqual((await api("GET", "/aliases")).aliases, [{ alias_name: "live", collection_name: "docs" }]);
    assert.equal((await api("GET", `${C}/aliases`, `${T}/aliases`)).aliases.length, 1);
    assert.equal((await api("POST", "/collections/live/points/count", `${T}/points/count`, { json: {} })).count, 3);
  });
  await check("qdrant: a collection's snapshot goes out, is checked and comes back", async () => {
    const S = `${T}/snapshots`;
    const made = await api("POST", `${C}/snapshots?wait=true`, S);
    const file = (await call("GET", `${base}${C}/snapshots/${made.name}`, { headers: { "api-key": key } })).raw;
    assert.deepEqual([file.length, sha256(file)], [made.size, made.checksum]);
    assert.equal((await api("GET", `${C}/snapshots`, S)).length, 1);
    assert.equal(await api("DELETE", `${C}/snapshots/${made.name}`, `${S}/{snapshot_name}`), true);
    await api("GET", `${C}/snapshots/${made.name}`, `${S}/{snapshot_name}`, { status: 404 });
    await api("POST", `${C}/points/delete?wait=true`, `${T}/points/delete`, { json: { points: [1] } });
    const upload = (sum) => `${C}/snapshots/upload?priority=snapshot&wait=true&checksum=${sum}`;
    await api("POST", upload(sha256("other")), `${S}/upload`, { status: 400, ...multipart(file) });
    assert.equal((await api("POST", `${C}/points/count`, `${T}/points/count`, { json: {} })).count, 2);
    assert.equal(await api("POST", upload(sha256(file)), `${S}/upload`, multipart(file)), true);
    assert.equal((await api("POST", `${C}/points/count`, `${T}/points/count`, { json: {} })).count, 3);
  });
  await check("qdrant: full snapshots", async () => {
    const made = await api("POST", "/snapshots?wait=true", "/snapshots");
    assert.equal((await api("GET", "/snapshots")).length, 1);
    const file = (await call("GET", `${base}/snapshots/${made.name}`, { headers: { "api-key": key } })).raw;
    assert.equal(sha256(file), made.checksum);
    await api("DELETE", `/snapshots/${made.name}`, "/snapshots/{snapshot_name}");
  });
}

async function survived() {
  await check("qdrant: collections, points and aliases survived the restart", async () => {
    const record = await api("GET", "/collections/live/points/1", `${T}/points/{id}`);
    assert.deepEqual([record.payload, record.vector], [points[0].payload, [1, 0, 0]]);
    assert.equal((await api("POST", `${C}/points/count`, `${T}/points/count`, { json: {} })).count, 3);
  });
}

await (phase === "fill" ? fill() : survived());
