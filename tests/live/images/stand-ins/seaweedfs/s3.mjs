// Path-style S3: buckets and whole objects, with verified signatures.
import { HttpError, readBody, send } from "../lib/http.mjs";
import { log } from "../lib/log.mjs";
import { verify } from "../lib/sigv4.mjs";
import { validBucketName } from "./buckets.mjs";

const xml = (text) => String(text).replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);
const XML = { "content-type": "application/xml" };
const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

const s3Error = (status, code, message) => new HttpError(status, message, { code });
const noBucket = () => s3Error(404, "NoSuchBucket", "The specified bucket does not exist");
const noKey = () => s3Error(404, "NoSuchKey", "The specified key does not exist.");

function listing(buckets, bucket, params) {
  const prefix = params.get("prefix") ?? "";
  const limit = Math.min(Number(params.get("max-keys") ?? 1000), 1000);
  const after = params.get("continuation-token") ?? params.get("start-after") ?? params.get("marker") ?? "";
  const delimiter = params.get("delimiter") ?? "";
  const entries = [];
  const groups = new Set();
  for (const object of buckets.objects(bucket, prefix)) {
    const cut = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
    if (cut >= 0) groups.add(object.key.slice(0, cut + delimiter.length));
    else if (object.key > after) entries.push(object);
  }
  const page = entries.slice(0, limit);
  const more = entries.length > page.length;
  const contents = page.map(
    ({ key, size, etag, modified }) =>
      `<Contents><Key>${xml(key)}</Key><LastModified>${modified}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  return (
    `${HEAD}<ListBucketResult ${NS}><Name>${xml(bucket)}</Name><Prefix>${xml(prefix)}</Prefix><KeyCount>${page.length}</KeyCount>` +
    `<MaxKeys>${limit}</MaxKeys><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${xml(page.at(-1).key)}</NextContinuationToken>` : ""}` +
    `${contents.join("")}${[...groups].map((g) => `<CommonPrefixes><Prefix>${xml(g)}</Prefix></CommonPrefixes>`).join("")}</ListBucketResult>`
  );
}

function onBucket({ buckets, bucket, method, params, response }) {
  if (method === "PUT") {
    if (!validBucketName(bucket)) throw s3Error(400, "InvalidBucketName", "The specified bucket is not valid.");
    if (buckets.has(bucket)) throw s3Error(409, "BucketAlreadyExists", "The requested bucket name is not available.");
    buckets.create(bucket);
    log("bucket created", { bucket });
    return send(response, 200, "", { location: `/${bucket}` });
  }
  if (!buckets.has(bucket)) throw noBucket();
  if (method === "HEAD") return send(response, 200, "");
  if (method === "GET" && params.has("location")) return send(response, 200, `${HEAD}<LocationConstraint ${NS}/>`, XML);
  if (method === "GET") return send(response, 200, listing(buckets, bucket, params), XML);
  if (method === "DELETE") {
    if (buckets.objects(bucket).length > 0)
      throw s3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
    buckets.delete(bucket);
    return send(response, 204, "");
  }
  throw s3Error(501, "NotImplemented", `This stand-in has no ${method} for a bucket.`);
}

function onObject({ buckets, bucket, key, method, params, request, response, body }) {
  if (!buckets.has(bucket)) throw noBucket();
  if (params.has("uploads") || params.has("uploadId"))
    throw s3Error(501, "NotImplemented", "This stand-in has no multipart uploads.");
  if (method === "PUT") {
    if (request.headers["x-amz-copy-source"]) throw s3Error(501, "NotImplemented", "This stand-in copies no objects.");
    const etag = buckets.put(bucket, key, body, request.headers["content-type"] ?? "application/octet-stream");
    return send(response, 200, "", { etag: `"${etag}"` });
  }
  if (method === "DELETE") {
    buckets.remove(bucket, key);
    return send(response, 204, "");
  }
  const meta = buckets.head(bucket, key);
  if (!meta) throw noKey();
  const headers = {
    etag: `"${meta.etag}"`,
    "content-type": meta.type,
    "last-modified": new Date(meta.modified).toUTCString(),
  };
  if (method === "HEAD") {
    response.writeHead(200, { ...headers, "content-length": meta.size });
    return response.end();
  }
  if (method === "GET") return send(response, 200, buckets.read(bucket, key), headers);
  throw s3Error(501, "NotImplemented", `This stand-in has no ${method} for an object.`);
}

export function createS3({ buckets, accessKey, secret }) {
  async function handler(request, response, url) {
    const { method } = request;
    if ((method === "GET" || method === "HEAD") && (url.pathname === "/healthz" || url.pathname === "/status")) {
      return send(response, 200, "");
    }
    const body = await readBody(request);
    if (accessKey !== "") {
      const checked = verify({ method, url: request.url, headers: request.headers, body, accessKey, secret });
      if (!checked.ok) {
        log("request refused", { level: "warning", code: checked.code, method, path: url.pathname });
        throw s3Error(checked.status, checked.code, checked.message);
      }
    }
    const [bucket, ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
    const key = rest.join("/");
    const params = url.searchParams;
    if (bucket === "") {
      if (method !== "GET")
        throw s3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
      const names = buckets
        .list()
        .map((name) => `<Bucket><Name>${xml(name)}</Name></Bucket>`)
        .join("");
      return send(
        response,
        200,
        `${HEAD}<ListAllMyBucketsResult ${NS}><Buckets>${names}</Buckets></ListAllMyBucketsResult>`,
        XML,
      );
    }
    return key === ""
      ? onBucket({ buckets, bucket, method, params, response })
      : onObject({ buckets, bucket, key, method, params, request, response, body });
  }

  function onError(response, status, error, request) {
    const code = error.code ?? "InternalError";
    send(
      response,
      status,
      `${HEAD}<Error><Code>${xml(code)}</Code><Message>${xml(error.message)}</Message><Resource>${xml(request.url)}</Resource></Error>`,
      XML,
    );
  }
  return { handler, onError };
}
