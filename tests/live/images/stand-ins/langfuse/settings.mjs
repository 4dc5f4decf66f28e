// The environment, checked the way Langfuse v4 checks it: everything that is
// wrong is named at once, and nothing is started then.
import { fatal } from "../lib/log.mjs";

const URLS = {
  http: /^https?:\/\/[^\s/]+/,
  clickhouse: /^clickhouse:\/\/[^\s/]+:\d+/,
  postgres: /^postgres(ql)?:\/\/[^\s/]+\//,
};

const RULES = {
  DATABASE_URL: (v) => URLS.postgres.test(v) || "must be a postgresql:// URL with a database",
  SALT: () => true,
  ENCRYPTION_KEY: (v) => /^[0-9a-f]{64}$/i.test(v) || "must be 256 bits, 64 hex characters",
  NEXTAUTH_URL: (v) => URLS.http.test(v) || "must be an http(s) URL",
  CLICKHOUSE_URL: (v) => URLS.http.test(v) || "must be an http(s) URL",
  CLICKHOUSE_MIGRATION_URL: (v) => URLS.clickhouse.test(v) || "must be clickhouse://host:port",
  CLICKHOUSE_USER: () => true,
  CLICKHOUSE_PASSWORD: () => true,
  CLICKHOUSE_CLUSTER_ENABLED: (v) => v === "false" || "must be false: a single server has no cluster",
  REDIS_HOST: () => true,
  REDIS_AUTH: () => true,
  LANGFUSE_S3_EVENT_UPLOAD_BUCKET: () => true,
  LANGFUSE_S3_EVENT_UPLOAD_REGION: () => true,
  LANGFUSE_S3_EVENT_UPLOAD_ENDPOINT: (v) => URLS.http.test(v) || "must be an http(s) URL",
  LANGFUSE_S3_EVENT_UPLOAD_ACCESS_KEY_ID: () => true,
  LANGFUSE_S3_EVENT_UPLOAD_SECRET_ACCESS_KEY: () => true,
  LANGFUSE_S3_EVENT_UPLOAD_FORCE_PATH_STYLE: (v) =>
    v === "true" || "must be true: bucket host names do not resolve here",
};
const WEB_ONLY = { NEXTAUTH_SECRET: () => true };
// Settings that may be left out but not be wrong.
const OPTIONAL = {
  REDIS_PORT: (v) => /^\d+$/.test(v) || "must be a port",
  PORT: (v) => /^\d+$/.test(v) || "must be a port",
  LANGFUSE_LOG_FORMAT: (v) => ["text", "json"].includes(v) || "must be text or json",
  LANGFUSE_INIT_USER_PASSWORD: (v) => v.length >= 8 || "must have at least 8 characters",
  LANGFUSE_S3_EVENT_UPLOAD_PREFIX: (v) => v === "" || v.endsWith("/") || "must end with a slash",
};

export function settings(part) {
  const env = process.env;
  const wrong = [];
  for (const [name, rule] of Object.entries(part === "web" ? { ...RULES, ...WEB_ONLY } : RULES)) {
    const verdict = env[name] ? rule(env[name]) : "is required";
    if (verdict !== true) wrong.push(`${name} ${verdict}`);
  }
  for (const [name, rule] of Object.entries(OPTIONAL)) {
    const verdict = env[name] ? rule(env[name]) : true;
    if (verdict !== true) wrong.push(`${name} ${verdict}`);
  }
  if (wrong.length > 0) fatal("invalid environment variables", { wrong });
  return {
    databaseUrl: env.DATABASE_URL,
    salt: env.SALT,
    encryptionKey: Buffer.from(env.ENCRYPTION_KEY, "hex"),
    redis: { host: env.REDIS_HOST, port: Number(env.REDIS_PORT || 6379), password: env.REDIS_AUTH },
    clickhouse: {
      url: env.CLICKHOUSE_URL,
      migration: new URL(env.CLICKHOUSE_MIGRATION_URL),
      user: env.CLICKHOUSE_USER,
      password: env.CLICKHOUSE_PASSWORD,
    },
    s3: {
      endpoint: env.LANGFUSE_S3_EVENT_UPLOAD_ENDPOINT,
      region: env.LANGFUSE_S3_EVENT_UPLOAD_REGION,
      bucket: env.LANGFUSE_S3_EVENT_UPLOAD_BUCKET,
      accessKey: env.LANGFUSE_S3_EVENT_UPLOAD_ACCESS_KEY_ID,
      secret: env.LANGFUSE_S3_EVENT_UPLOAD_SECRET_ACCESS_KEY,
    },
    prefix: env.LANGFUSE_S3_EVENT_UPLOAD_PREFIX ?? "",
    cookieSuffix: env.NEXTAUTH_COOKIE_NAME_SUFFIX ?? "",
    publicUrl: env.NEXTAUTH_URL,
  };
}
