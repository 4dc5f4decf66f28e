// Buckets are folders; an object is two files named by its key's hash, so that
// `a` and `a/b` can both exist and no key can leave the folder.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustBeWritable, writeAtomically } from "../lib/files.mjs";

const hash = (kind, data) => createHash(kind).update(data).digest("hex");
export const validBucketName = (name) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name ?? "");

export class Buckets {
  constructor(directory) {
    this.directory = join(directory, "buckets");
    mustBeWritable(directory);
    mkdirSync(this.directory, { recursive: true });
  }

  #paths(bucket, key) {
    const base = join(this.directory, bucket, hash("sha256", key));
    return { meta: `${base}.json`, data: `${base}.data` };
  }

  has(bucket) {
    return validBucketName(bucket) && existsSync(join(this.directory, bucket));
  }

  list() {
    return readdirSync(this.directory).sort();
  }

  create(bucket) {
    if (!validBucketName(bucket)) throw new Error(`invalid bucket name "${bucket}"`);
    mkdirSync(join(this.directory, bucket));
  }

  delete(bucket) {
    rmSync(join(this.directory, bucket), { recursive: true });
  }

  put(bucket, key, data, type) {
    const { meta, data: file } = this.#paths(bucket, key);
    const etag = hash("md5", data);
    // The data first: an entry without its data must never be listed.
    writeAtomically(file, data);
    writeAtomically(meta, JSON.stringify({ key, size: data.length, etag, type, modified: new Date().toISOString() }));
    return etag;
  }

  head(bucket, key) {
    const { meta } = this.#paths(bucket, key);
    return existsSync(meta) ? JSON.parse(readFileSync(meta, "utf8")) : undefined;
  }

  read(bucket, key) {
    return readFileSync(this.#paths(bucket, key).data);
  }

  remove(bucket, key) {
    const { meta, data } = this.#paths(bucket, key);
    rmSync(meta, { force: true });
    rmSync(data, { force: true });
  }

  objects(bucket, prefix = "") {
    const folder = join(this.directory, bucket);
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")))
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  size(bucket) {
    return this.objects(bucket).reduce((sum, { size }) => sum + size, 0);
  }
}
