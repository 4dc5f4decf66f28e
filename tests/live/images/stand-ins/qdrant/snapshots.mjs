// Snapshots are JSON here, not Qdrant's tar of segments: they prove that a
// backup was made, moved, checked and put back, not that upstream reads it.
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { mustBeWritable, writeAtomically } from "../lib/files.mjs";
import { HttpError, readBody } from "../lib/http.mjs";

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const NAME = /^[A-Za-z0-9._-]+\.snapshot$/;
const stamp = () =>
  new Date()
    .toISOString()
    .replace(/\.\d+Z$/, "")
    .replace(/[T:]/g, "-");
let sequence = 0;

export class Snapshots {
  constructor(directory) {
    this.directory = directory;
    mustBeWritable(directory);
  }

  folder(collection) {
    return collection === undefined ? this.directory : join(this.directory, encodeURIComponent(collection));
  }

  path(collection, name) {
    const path = join(this.folder(collection), name);
    if (!NAME.test(name) || !existsSync(path)) throw new HttpError(404, `Not found: Snapshot ${name} not found`);
    return path;
  }

  describe(path, name) {
    const { size, mtime } = statSync(path);
    return {
      name,
      creation_time: mtime.toISOString().replace(/\.\d+Z$/, ""),
      size,
      checksum: sha256(readFileSync(path)),
    };
  }

  create(collection, content) {
    const name =
      collection === undefined
        ? `full-snapshot-${stamp()}-${++sequence}.snapshot`
        : `${collection.replace(/[^A-Za-z0-9._-]/g, "_")}-${process.pid}${++sequence}-${stamp()}.snapshot`;
    mkdirSync(this.folder(collection), { recursive: true });
    const path = join(this.folder(collection), name);
    writeAtomically(path, content);
    return this.describe(path, name);
  }

  list(collection) {
    const folder = this.folder(collection);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => NAME.test(name))
      .sort()
      .map((name) => this.describe(join(folder, name), name));
  }

  delete(collection, name) {
    rmSync(this.path(collection, name));
    return true;
  }

  download(response, collection, name) {
    const path = this.path(collection, name);
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": statSync(path).size,
      "content-disposition": `attachment; filename="${name}"`,
    });
    createReadStream(path).pipe(response);
  }
}

/** The bytes of the multipart field `snapshot`. */
export async function uploadedSnapshot(request) {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(request.headers["content-type"] ?? "")?.[1];
  if (!boundary) throw new HttpError(400, "Multipart request error: content type is not multipart/form-data");
  const body = Buffer.concat([Buffer.from("\r\n"), await readBody(request, 256 * 1024 * 1024)]);
  const mark = Buffer.from(`\r\n--${boundary}`);
  let at = body.indexOf(mark);
  while (at >= 0) {
    const start = at + mark.length;
    if (body.toString("latin1", start, start + 2) === "--") break;
    const headersEnd = body.indexOf("\r\n\r\n", start);
    const next = body.indexOf(mark, start);
    if (headersEnd < 0 || next < 0) break;
    if (/name="snapshot"/i.test(body.toString("latin1", start, headersEnd))) return body.subarray(headersEnd + 4, next);
    at = next;
  }
  throw new HttpError(400, "Multipart request error: field `snapshot` is missing or cut short");
}

export function checkChecksum(data, wanted) {
  const have = sha256(data);
  if (wanted && wanted.toLowerCase() !== have) {
    throw new HttpError(400, `Bad request: Snapshot checksum mismatch: expected ${wanted}, got ${have}`);
  }
}
