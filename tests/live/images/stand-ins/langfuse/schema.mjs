// The stand-in's own tables (far fewer than Langfuse's). Only web makes them.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { log } from "../lib/log.mjs";

const MIGRATIONS = [
  [
    "001_tenants",
    `
    CREATE TABLE organizations (id text PRIMARY KEY, name text NOT NULL);
    CREATE TABLE projects (id text PRIMARY KEY, name text NOT NULL, org_id text NOT NULL REFERENCES organizations);
    CREATE TABLE api_keys (public_key text PRIMARY KEY, hashed_secret_key text NOT NULL, project_id text NOT NULL REFERENCES projects);
    CREATE TABLE users (email text PRIMARY KEY, name text, password_hash text NOT NULL);
    CREATE TABLE stand_in_secrets (name text PRIMARY KEY, sealed bytea NOT NULL);`,
  ],
  [
    "002_tracing",
    `
    CREATE TABLE traces (id text NOT NULL, project_id text NOT NULL REFERENCES projects, name text, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (project_id, id));`,
  ],
];
// A database of its own: that of the engine's name cannot be dropped and made anew there.
export const OBSERVATIONS = "langfuse_stand_in.observations";
const CLICKHOUSE = [
  "CREATE DATABASE IF NOT EXISTS langfuse_stand_in ENGINE = Atomic",
  `CREATE TABLE IF NOT EXISTS ${OBSERVATIONS} (project_id String, trace_id String, id String, start_ms Int64, name Nullable(String), type LowCardinality(String), s3_key String, body String)
    ENGINE = ReplacingMergeTree ORDER BY (project_id, trace_id, id)`,
  `CREATE TABLE IF NOT EXISTS langfuse_stand_in.per_type (project_id String, type LowCardinality(String), seen AggregateFunction(uniq, String))
    ENGINE = AggregatingMergeTree ORDER BY (project_id, type)`,
  `CREATE MATERIALIZED VIEW IF NOT EXISTS langfuse_stand_in.into_per_type TO langfuse_stand_in.per_type
    AS SELECT project_id, type, uniqState(id) AS seen FROM ${OBSERVATIONS} GROUP BY project_id, type`,
];
const LOCK = 1_701_000_001;

export async function migrate({ database, clickhouse }) {
  const client = await database.connect();
  try {
    // Two webs that start together must not migrate together.
    await client.query("SELECT pg_advisory_lock($1)", [LOCK]);
    await client.query(
      "CREATE TABLE IF NOT EXISTS stand_in_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    const { rows } = await client.query("SELECT name FROM stand_in_migrations");
    const applied = new Set(rows.map(({ name }) => name));
    const pending = MIGRATIONS.filter(([name]) => !applied.has(name));
    for (const [name, sql] of pending) {
      await client.query("BEGIN");
      await client.query(sql);
      await client.query("INSERT INTO stand_in_migrations (name) VALUES ($1)", [name]);
      await client.query("COMMIT");
    }
    for (const sql of CLICKHOUSE) await clickhouse(sql);
    log("migrated", { applied: pending.map(([name]) => name), present: applied.size });
  } finally {
    client.release(true); // ends the session, and so the lock, whatever happened
  }
}

export async function isMigrated(database) {
  const { rows } = await database.query("SELECT to_regclass('stand_in_migrations') IS NOT NULL AS there");
  if (!rows[0].there) return false;
  const found = await database.query("SELECT count(*)::int AS n FROM stand_in_migrations");
  return found.rows[0].n >= MIGRATIONS.length;
}

/** Salted, so that a changed SALT locks every key out, as it does upstream. */
export const hashSecret = (secret, salt) =>
  createHash("sha256").update(secret).update(createHash("sha256").update(salt).digest("hex")).digest("hex");

function seal(text, key) {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]);
}

function unseal(data, key) {
  const decipher = createDecipheriv("aes-256-gcm", key, data.subarray(0, 12));
  decipher.setAuthTag(data.subarray(12, 28));
  return Buffer.concat([decipher.update(data.subarray(28)), decipher.final()]).toString("utf8");
}

/** Langfuse's headless first start; what exists already is left as it is. */
export async function seed(database, config, env = process.env) {
  await database.query("INSERT INTO stand_in_secrets VALUES ('canary', $1) ON CONFLICT DO NOTHING", [
    seal("canary", config.encryptionKey),
  ]);
  const { rows } = await database.query("SELECT sealed FROM stand_in_secrets WHERE name = 'canary'");
  try {
    unseal(rows[0].sealed, config.encryptionKey);
  } catch {
    log("ENCRYPTION_KEY is not the one this database was filled with: stored secrets are lost", { level: "error" });
  }
  const org = env.LANGFUSE_INIT_ORG_ID;
  if (!org) return log("LANGFUSE_INIT_ORG_ID is not set: nothing is provisioned");
  await database.query("INSERT INTO organizations VALUES ($1, $2) ON CONFLICT DO NOTHING", [
    org,
    env.LANGFUSE_INIT_ORG_NAME || "Provisioned Org",
  ]);
  const project = env.LANGFUSE_INIT_PROJECT_ID;
  if (project) {
    await database.query("INSERT INTO projects VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
      project,
      env.LANGFUSE_INIT_PROJECT_NAME || "Provisioned Project",
      org,
    ]);
    const [pk, sk] = [env.LANGFUSE_INIT_PROJECT_PUBLIC_KEY, env.LANGFUSE_INIT_PROJECT_SECRET_KEY];
    if (pk && sk)
      await database.query("INSERT INTO api_keys VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
        pk,
        hashSecret(sk, config.salt),
        project,
      ]);
  }
  const [email, password] = [env.LANGFUSE_INIT_USER_EMAIL, env.LANGFUSE_INIT_USER_PASSWORD];
  if (email && password) {
    await database.query("INSERT INTO users VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
      email,
      env.LANGFUSE_INIT_USER_NAME || "Provisioned User",
      hashSecret(password, config.salt),
    ]);
  }
  log("provisioned", { org, project: project ?? null, user: Boolean(email && password) });
}
