// Collections and aliases: in memory, and one JSON file per collection that is
// rewritten whole on each change. Meant for hundreds of points, not millions.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustBeWritable, writeAtomically } from "../lib/files.mjs";
import { HttpError } from "../lib/http.mjs";

const DISTANCES = new Set(["Cosine", "Euclid", "Dot", "Manhattan"]);
const fileName = (name) => `${createHash("sha256").update(name).digest("hex").slice(0, 32)}.json`;

export class Store {
  collections = new Map();
  aliases = new Map();

  constructor(directory) {
    this.directory = join(directory, "collections");
    this.aliasFile = join(directory, "aliases.json");
    mustBeWritable(directory);
    mkdirSync(this.directory, { recursive: true });
    for (const file of readdirSync(this.directory).filter((name) => name.endsWith(".json"))) {
      const collection = JSON.parse(readFileSync(join(this.directory, file), "utf8"));
      this.collections.set(collection.name, { ...collection, points: new Map(collection.points) });
    }
    if (existsSync(this.aliasFile)) this.aliases = new Map(JSON.parse(readFileSync(this.aliasFile, "utf8")));
  }

  /** What a file or a snapshot holds of one collection. */
  dump(collection) {
    return JSON.stringify({ format: "stand-in-1", ...collection, points: [...collection.points] });
  }

  save(collection) {
    writeAtomically(join(this.directory, fileName(collection.name)), this.dump(collection));
  }

  saveAliases() {
    writeAtomically(this.aliasFile, JSON.stringify([...this.aliases]));
  }

  find(name) {
    const collection = this.collections.get(this.aliases.get(name) ?? name);
    if (!collection) throw new HttpError(404, `Not found: Collection \`${name}\` doesn't exist!`);
    return collection;
  }

  create(name, request) {
    if (!/^[^/\\:*?"<>|\0]{1,255}$/.test(name))
      throw new HttpError(422, "Validation error in path: invalid collection name");
    if (this.collections.has(name) || this.aliases.has(name)) {
      throw new HttpError(409, `Wrong input: Collection \`${name}\` already exists!`);
    }
    const vectors = request.vectors ?? {};
    for (const params of typeof vectors.size === "number" ? [vectors] : Object.values(vectors)) {
      if (!Number.isInteger(params?.size) || params.size < 1 || !DISTANCES.has(params.distance)) {
        throw new HttpError(400, "Format error in JSON body: vectors need an integer size and a known distance");
      }
    }
    const { metadata, sparse_vectors: sparse } = request;
    const collection = { name, vectors, sparse, metadata, schema: {}, operation: 0, points: new Map() };
    this.collections.set(name, collection);
    this.save(collection);
  }

  delete(name) {
    if (!this.collections.delete(name)) return false;
    rmSync(join(this.directory, fileName(name)), { force: true });
    const gone = [...this.aliases].filter(([, target]) => target === name);
    for (const [alias] of gone) this.aliases.delete(alias);
    if (gone.length > 0) this.saveAliases();
    return true;
  }

  /** Puts a dumped collection in place of whatever has that name. */
  restore(name, text) {
    let data;
    try {
      data = JSON.parse(text);
    } catch {
      throw new HttpError(400, "Wrong input: the snapshot is no readable archive");
    }
    if (data.format !== "stand-in-1" || !Array.isArray(data.points)) {
      throw new HttpError(400, "Wrong input: this stand-in reads only snapshots that it made itself");
    }
    const collection = { ...data, name, points: new Map(data.points) };
    this.collections.set(name, collection);
    this.save(collection);
  }

  info(collection) {
    return {
      status: "green",
      optimizer_status: "ok",
      indexed_vectors_count: 0,
      points_count: collection.points.size,
      segments_count: 1,
      config: {
        params: {
          vectors: collection.vectors,
          ...(collection.sparse ? { sparse_vectors: collection.sparse } : {}),
          shard_number: 1,
          replication_factor: 1,
          write_consistency_factor: 1,
          on_disk_payload: true,
        },
        hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10000, max_indexing_threads: 0, on_disk: false },
        optimizer_config: {
          deleted_threshold: 0.2,
          vacuum_min_vector_number: 1000,
          default_segment_number: 0,
          flush_interval_sec: 5,
        },
        wal_config: { wal_capacity_mb: 32, wal_segments_ahead: 0, wal_retain_closed: 1 },
        ...(collection.metadata ? { metadata: collection.metadata } : {}),
      },
      payload_schema: Object.fromEntries(
        Object.entries(collection.schema).map(([field, type]) => [
          field,
          { data_type: type, points: collection.points.size },
        ]),
      ),
    };
  }

  changeAliases(actions) {
    const next = new Map(this.aliases);
    for (const action of actions ?? []) {
      if (action.create_alias) {
        const { alias_name: alias, collection_name: name } = action.create_alias;
        if (!this.collections.has(name)) throw new HttpError(404, `Not found: Collection \`${name}\` doesn't exist!`);
        if (this.collections.has(alias))
          throw new HttpError(409, `Wrong input: Collection \`${alias}\` already exists!`);
        next.set(alias, name);
      } else if (action.delete_alias) {
        next.delete(action.delete_alias.alias_name);
      } else if (action.rename_alias) {
        const { old_alias_name: from, new_alias_name: to } = action.rename_alias;
        if (!next.has(from)) throw new HttpError(404, `Not found: Alias ${from} does not exists!`);
        next.set(to, next.get(from));
        next.delete(from);
      } else {
        throw new HttpError(400, "Format error in JSON body: unknown alias action");
      }
    }
    this.aliases = next;
    this.saveAliases();
  }

  aliasList(name) {
    return [...this.aliases]
      .filter(([, target]) => name === undefined || target === name)
      .map(([alias_name, collection_name]) => ({ alias_name, collection_name }));
  }
}
