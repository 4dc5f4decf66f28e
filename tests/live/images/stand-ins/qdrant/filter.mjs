// The part of Qdrant's filters that tests of a scaffold can reasonably use.
import { HttpError } from "../lib/http.mjs";

function values(payload, key) {
  let found = [payload];
  for (const part of key.replaceAll("[]", "").split(".")) {
    found = found.flatMap((item) => (Array.isArray(item) ? item : [item])).map((item) => item?.[part]);
  }
  return found.flatMap((item) => (Array.isArray(item) ? item : [item])).filter((item) => item !== undefined);
}

function condition(test, id, payload) {
  if (test.must || test.should || test.must_not || test.min_should) return passes(test, id, payload);
  if (test.has_id) return test.has_id.some((wanted) => String(wanted) === String(id));
  if (test.is_empty) return values(payload, test.is_empty.key).filter((v) => v !== null).length === 0;
  if (test.is_null) return values(payload, test.is_null.key).includes(null);
  const have = typeof test.key === "string" ? values(payload, test.key) : [];
  if (test.match) {
    const { value, any, except, text } = test.match;
    if (value !== undefined) return have.includes(value);
    if (any) return have.some((v) => any.includes(v));
    if (except) return have.some((v) => !except.includes(v));
    if (text !== undefined) return have.some((v) => String(v).toLowerCase().includes(String(text).toLowerCase()));
  }
  if (test.range) {
    const { lt, lte, gt, gte } = test.range;
    const number = (v) => (typeof v === "string" ? Date.parse(v) : v);
    return have
      .map(number)
      .some(
        (v) =>
          (lt === undefined || lt === null || v < number(lt)) &&
          (lte === undefined || lte === null || v <= number(lte)) &&
          (gt === undefined || gt === null || v > number(gt)) &&
          (gte === undefined || gte === null || v >= number(gte)),
      );
  }
  throw new HttpError(400, `stand-in: this filter condition is not implemented: ${JSON.stringify(test)}`);
}

const list = (clause) => (clause === undefined || clause === null ? [] : Array.isArray(clause) ? clause : [clause]);

export function passes(filter, id, payload) {
  if (!filter) return true;
  const test = (item) => condition(item, id, payload);
  if (!list(filter.must).every(test) || list(filter.must_not).some(test)) return false;
  if (list(filter.should).length > 0 && !list(filter.should).some(test)) return false;
  const { conditions, min_count: least } = filter.min_should ?? {};
  return !conditions || conditions.filter(test).length >= least;
}
