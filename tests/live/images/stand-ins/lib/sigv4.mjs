// AWS Signature Version 4 in the Authorization header, both ways: signing for
// the Langfuse stand-ins, checking for the S3 stand-in.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
const EMPTY = sha256("");

/** RFC 3986 escaping as AWS wants it: everything but A-Z a-z 0-9 - . _ ~ */
export const escapeUri = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function canonicalQuery(params) {
  return [...params]
    .map(([name, value]) => [escapeUri(name), escapeUri(value)])
    .sort((a, b) => (a[0] === b[0] ? (a[1] < b[1] ? -1 : 1) : a[0] < b[0] ? -1 : 1))
    .map((pair) => pair.join("="))
    .join("&");
}

function signature({ method, path, params, headers, signedHeaders, payloadHash, amzDate, scope, secret }) {
  const [date, region, service] = scope.split("/");
  const canonical = [
    method,
    path,
    canonicalQuery(params),
    ...signedHeaders.map(
      (name) =>
        `${name}:${String(headers[name] ?? "")
          .trim()
          .replace(/\s+/g, " ")}`,
    ),
    "",
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", amzDate, scope, sha256(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce(hmac, `AWS4${secret}`);
  return createHmac("sha256", key).update(toSign).digest("hex");
}

/** Headers for a request to `url` (whose path must already be escaped). */
export function sign({
  method,
  url,
  body = "",
  accessKey,
  secret,
  region = "us-east-1",
  now = new Date(),
  extra = {},
}) {
  const target = new URL(url);
  const amzDate = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${amzDate.slice(0, 8)}/${region}/s3/aws4_request`;
  const payloadHash = body.length === 0 ? EMPTY : sha256(body);
  const headers = { ...extra, host: target.host, "x-amz-content-sha256": payloadHash, "x-amz-date": amzDate };
  const signedHeaders = Object.keys(headers).sort();
  const value = signature({
    method,
    path: target.pathname,
    params: target.searchParams,
    headers,
    signedHeaders,
    payloadHash,
    amzDate,
    scope,
    secret,
  });
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${signedHeaders.join(";")}, Signature=${value}`,
  };
}

const refuse = (status, code, message) => ({ ok: false, status, code, message });

/** Checks a request; the body's hash is checked too unless it is declared unsigned. */
export function verify({ method, url, headers, body, accessKey, secret, now = new Date() }) {
  const header = headers.authorization ?? "";
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(header);
  if (!match) return refuse(403, "AccessDenied", "Access Denied.");
  const [, id, scope, signed, given] = match;
  if (id !== accessKey)
    return refuse(403, "InvalidAccessKeyId", "The access key ID you provided does not exist in our records.");
  const amzDate = headers["x-amz-date"] ?? "";
  const stamp = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate);
  if (!stamp || scope.split("/").length !== 4)
    return refuse(400, "AuthorizationHeaderMalformed", "The authorization header is malformed.");
  const sent = Date.UTC(stamp[1], stamp[2] - 1, stamp[3], stamp[4], stamp[5], stamp[6]);
  if (Math.abs(now - sent) > 15 * 60 * 1000)
    return refuse(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the server's time is too large.",
    );
  const signedHeaders = signed.split(";");
  if (!signedHeaders.includes("host")) return refuse(403, "AccessDenied", "The host header must be signed.");
  const payloadHash = headers["x-amz-content-sha256"] ?? EMPTY;
  const target = new URL(url, "http://stand-in");
  const expected = signature({
    method,
    path: target.pathname,
    params: target.searchParams,
    headers,
    signedHeaders,
    payloadHash,
    amzDate,
    scope,
    secret,
  });
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(given))) {
    return refuse(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided.",
    );
  }
  if (payloadHash.startsWith("STREAMING-"))
    return refuse(501, "NotImplemented", "This stand-in takes no chunk-signed bodies.");
  if (payloadHash !== "UNSIGNED-PAYLOAD" && payloadHash !== sha256(body)) {
    return refuse(
      400,
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return { ok: true };
}
