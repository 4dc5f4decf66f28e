// Points: storing, reading, scoring. Scores are computed for real, over every
// point; there is no index.
import { HttpError } from "../lib/http.mjs";
import { passes } from "./filter.mjs";

const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const isNumberId = (id) => Number.isInteger(id) && id >= 0;
const keyOf = (id) => (typeof id === "number" ? id : String(id).toLowerCase());

function checkedId(id) {
  if (isNumberId(id)) return id;
  if (typeof id === "string" && UUID.test(id)) return id.toLowerCase();
  throw new HttpError(
    400,
    `Format error in JSON body: value ${id} is not a valid point ID, valid values are either an unsigned integer or a UUID`,
  );
}

// As upstream: numbers before UUIDs, each in its own order.
const byId = ([a], [b]) => (typeof a === typeof b ? (a < b ? -1 : 1) : typeof a === "number" ? -1 : 1);
const sorted = (collection) => [...collection.points].sort(byId);

function paramsOf(collection, name) {
  const params = name === "" ? collection.vectors : collection.vectors[name];
  if (typeof params?.size !== "number")
    throw new HttpError(400, `Wrong input: Not existing vector name error: ${name}`);
  return params;
}

// Upstream keeps the values as 32-bit numbers, in the order of the indices.
function checkedSparse(vector) {
  const { indices, values } = vector ?? {};
  const isWhole =
    Array.isArray(indices) &&
    Array.isArray(values) &&
    indices.length === values.length &&
    indices.every(isNumberId) &&
    new Set(indices).size === indices.length &&
    values.every((v) => Number.isFinite(v));
  if (!isWhole) throw new HttpError(422, "Validation error: a sparse vector has as many values as unique indices");
  const order = indices.map((index, at) => [index, Math.fround(values[at])]).sort(([a], [b]) => a - b);
  return { indices: order.map(([index]) => index), values: order.map(([, value]) => value) };
}

function checkedVector(collection, name, vector) {
  if (collection.sparse?.[name]) return checkedSparse(vector);
  const params = paramsOf(collection, name);
  if (!Array.isArray(vector) || !vector.every((v) => Number.isFinite(v)))
    throw new HttpError(400, "Format error in JSON body: a vector is an array of numbers");
  if (vector.length !== params.size) {
    throw new HttpError(400, `Wrong input: Vector dimension error: expected dim: ${params.size}, got ${vector.length}`);
  }
  // Upstream keeps 32-bit numbers, and unit vectors for the cosine distance.
  const length = params.distance === "Cosine" ? Math.hypot(...vector) || 1 : 1;
  return vector.map((v) => Math.fround(v / length));
}

export function upsert(collection, request) {
  let given = request.points;
  if (!given && request.batch) {
    const { ids, vectors, payloads } = request.batch;
    const vectorAt = (at) =>
      Array.isArray(vectors) ? vectors[at] : Object.fromEntries(Object.entries(vectors).map(([n, v]) => [n, v[at]]));
    given = ids.map((id, at) => ({ id, vector: vectorAt(at), payload: payloads?.[at] }));
  }
  if (!Array.isArray(given))
    throw new HttpError(
      400,
      "Format error in JSON body: data did not match any variant of untagged enum PointInsertOperations",
    );
  // Everything is checked before anything is stored: all or nothing.
  const ready = given.map((point) => {
    const id = checkedId(point.id);
    const vector = Array.isArray(point.vector)
      ? checkedVector(collection, "", point.vector)
      : Object.fromEntries(Object.entries(point.vector ?? {}).map(([n, v]) => [n, checkedVector(collection, n, v)]));
    return [id, { vector, payload: point.payload ?? {} }];
  });
  collection.operation += 1;
  for (const [id, point] of ready) collection.points.set(id, { ...point, version: collection.operation });
}

export function remove(collection, request) {
  if (Array.isArray(request.points)) {
    for (const id of request.points) collection.points.delete(checkedId(id));
  } else if (request.filter) {
    for (const [id, point] of collection.points)
      if (passes(request.filter, id, point.payload)) collection.points.delete(id);
  } else {
    throw new HttpError(400, "Format error in JSON body: points or filter is needed");
  }
  collection.operation += 1;
}

function payloadPart(payload, wanted) {
  if (!wanted) return undefined;
  if (wanted === true) return payload;
  const pick = (test) => Object.fromEntries(Object.entries(payload).filter(([key]) => test(key)));
  const include = Array.isArray(wanted) ? wanted : wanted.include;
  return include ? pick((key) => include.includes(key)) : pick((key) => !(wanted.exclude ?? []).includes(key));
}

function vectorPart(vector, wanted) {
  if (!wanted || (Array.isArray(wanted) && Array.isArray(vector))) return undefined;
  return wanted === true ? vector : Object.fromEntries(wanted.map((name) => [name, vector[name]]));
}

function record([id, point], request, payloadByDefault) {
  const payload = payloadPart(point.payload, request.with_payload ?? payloadByDefault);
  const vector = vectorPart(point.vector, request.with_vector ?? false);
  return { id, ...(payload !== undefined ? { payload } : {}), ...(vector !== undefined ? { vector } : {}) };
}

export function getOne(collection, idText) {
  const id = checkedId(/^\d+$/.test(idText) ? Number(idText) : idText);
  const point = collection.points.get(id);
  if (!point) throw new HttpError(404, `Not found: Point with id ${id} does not exists!`);
  return record([id, point], { with_vector: true }, true);
}

export function retrieve(collection, request) {
  if (!Array.isArray(request.ids)) throw new HttpError(400, "Format error in JSON body: missing field `ids`");
  return request.ids
    .map(checkedId)
    .filter((id) => collection.points.has(id))
    .map((id) => record([id, collection.points.get(id)], request, true));
}

export function count(collection, request) {
  return { count: sorted(collection).filter(([id, point]) => passes(request.filter, id, point.payload)).length };
}

export function scroll(collection, request) {
  const limit = request.limit ?? 10;
  const from = request.offset ?? undefined;
  const all = sorted(collection)
    .filter(([id, point]) => passes(request.filter, id, point.payload))
    .filter((entry) => from === undefined || byId(entry, [keyOf(from)]) >= 0 || entry[0] === keyOf(from));
  return {
    points: all.slice(0, limit).map((entry) => record(entry, request, true)),
    next_page_offset: all[limit]?.[0] ?? null,
  };
}

const SCORES = {
  Dot: (a, b) => a.reduce((sum, v, at) => sum + v * b[at], 0),
  Euclid: (a, b) => Math.hypot(...a.map((v, at) => v - b[at])),
  Manhattan: (a, b) => a.reduce((sum, v, at) => sum + Math.abs(v - b[at]), 0),
};
SCORES.Cosine = SCORES.Dot; // both sides are unit vectors already

export function query(collection, request) {
  const name = request.using ?? "";
  let wanted = request.query?.nearest ?? request.query;
  if (wanted === undefined || wanted === null) {
    const page = scroll(collection, { ...request, offset: undefined, with_payload: request.with_payload ?? false });
    return {
      points: page.points.map((point) => ({ ...point, score: 0, version: collection.points.get(point.id).version })),
    };
  }
  let itself;
  if (isNumberId(wanted) || typeof wanted === "string") {
    itself = checkedId(wanted);
    const point = collection.points.get(itself);
    if (!point) throw new HttpError(404, `Not found: Point with id ${wanted} does not exists!`);
    wanted = name === "" ? point.vector : point.vector[name];
  }
  if (!Array.isArray(wanted) || Array.isArray(wanted[0])) {
    throw new HttpError(400, "stand-in: only a dense vector or a point id is implemented as a query");
  }
  const { distance } = paramsOf(collection, name);
  const target = checkedVector(collection, name, wanted);
  const smallerIsNearer = distance === "Euclid" || distance === "Manhattan";
  const limit = request.limit ?? 10;
  const offset = request.offset ?? 0;
  const threshold = request.score_threshold;
  const points = sorted(collection)
    .filter(([id, point]) => id !== itself && passes(request.filter, id, point.payload))
    .map((entry) => ({ entry, vector: name === "" ? entry[1].vector : entry[1].vector[name] }))
    .filter(({ vector }) => Array.isArray(vector))
    .map(({ entry, vector }) => ({ entry, score: Math.fround(SCORES[distance](target, vector)) }))
    .filter(
      ({ score }) =>
        threshold === undefined || threshold === null || (smallerIsNearer ? score <= threshold : score >= threshold),
    )
    .sort((a, b) => (smallerIsNearer ? a.score - b.score : b.score - a.score))
    .slice(offset, offset + limit)
    .map(({ entry, score }) => ({ ...record(entry, request, false), version: entry[1].version, score }));
  return { points };
}
