import type { Stack } from "./engine.ts";

/** What people have in a PostgreSQL: 200,000 rows, odd values and names, and rights that a careless dump loses. */
const ODD_DATA = String.raw`
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE ROLE reader NOLOGIN;
CREATE ROLE "Odd 'Role" LOGIN CONNECTION LIMIT 3 IN ROLE reader;
ALTER ROLE reader SET statement_timeout = '17s';
CREATE SCHEMA "Näm e" AUTHORIZATION reader;
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE big (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, data bytea, meta jsonb, m mood,
  tags hstore, at timestamptz DEFAULT now(), price numeric(20, 10), CHECK (price IS NULL OR price > -1));
INSERT INTO big (name, data, meta, m, tags, at, price)
SELECT 'näme ' || n || E' \u00e9\t\\ ''"' || chr(128512), decode(md5(n::text), 'hex'), jsonb_build_object('n', n, 'x', repeat('y', n % 50)),
  CASE WHEN n % 3 = 0 THEN 'glad'::mood WHEN n % 3 = 1 THEN 'sad'::mood END, hstore('k', n::text),
  timestamptz '2026-01-01Z' + n * interval '1 second', CASE WHEN n % 7 > 0 THEN n / 7.0 END
FROM generate_series(1, ROWS) n;
CREATE INDEX ON big USING gin (name gin_trgm_ops);
CREATE TABLE "Näm e"."od""d \t" (a int DEFAULT 7, b text GENERATED ALWAYS AS ('x' || 'y') STORED, PRIMARY KEY (a));
INSERT INTO "Näm e"."od""d \t" SELECT generate_series(1, 10);
CREATE TABLE parts (n int, t text) PARTITION BY RANGE (n);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (50);
CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT n, repeat('z', n) FROM generate_series(1, 100) n;
CREATE UNLOGGED TABLE fleeting AS SELECT generate_series(1, 5) AS n;
CREATE SEQUENCE counter START 41 INCREMENT 3;
SELECT nextval('counter'), nextval('counter');
CREATE MATERIALIZED VIEW sums AS SELECT m, count(*) AS n, sum(price) AS s FROM big GROUP BY m;
CREATE VIEW glad AS SELECT * FROM big WHERE m = 'glad';
CREATE FUNCTION doubled(n int) RETURNS int LANGUAGE sql SECURITY DEFINER RETURN n * 2;
CREATE TABLE secret_rows AS SELECT n, 'owner ' || n AS who FROM generate_series(1, 20) n;
ALTER TABLE secret_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON secret_rows TO reader USING (n < 5);
SELECT lo_from_bytea(0, decode(repeat('00ff10', 50000), 'hex'));
ALTER TABLE parts OWNER TO reader;
ALTER TABLE secret_rows OWNER TO archive;
ALTER TABLE big OWNER TO archive;
GRANT SELECT (id, name) ON big TO reader;
GRANT SELECT ON sums TO reader WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION doubled FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader;
COMMENT ON TABLE big IS 'ours: do not ''touch''';
ALTER DATABASE archive SET work_mem = '7MB';
ALTER DATABASE archive CONNECTION LIMIT 70;
ALTER ROLE reader IN DATABASE archive SET search_path = "Näm e", public;
GRANT CREATE ON DATABASE archive TO reader;
COMMENT ON DATABASE archive IS 'the archive';
`;

const CATALOGUE = String.raw`
SELECT 'role', rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolconnlimit, rolconfig::text, NULL FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 2;
SELECT 'member', a.rolname, b.rolname FROM pg_auth_members m JOIN pg_roles a ON a.oid = roleid JOIN pg_roles b ON b.oid = member WHERE a.rolname !~ '^pg_' ORDER BY 2, 3;
SELECT 'database', datname, rolname, datconnlimit, datacl::text, pg_encoding_to_char(encoding), datcollate, datctype, shobj_description(d.oid, 'pg_database') FROM pg_database d JOIN pg_roles r ON r.oid = datdba WHERE datname !~ '^before_' ORDER BY 2;
SELECT 'setting', datname, rolname, setconfig::text FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase LEFT JOIN pg_roles r ON r.oid = setrole WHERE datname IS NULL OR datname !~ '^before_' ORDER BY 2, 3;
SELECT 'relation', nspname, relname, relkind, relpersistence, rolname, relacl::text, relrowsecurity, obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_roles r ON r.oid = relowner WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 2, 3;
SELECT 'column', attrelid::regclass::text, attname, atttypid::regtype, attnotnull, attidentity, attgenerated, attacl::text, pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE attnum > 0 AND NOT attisdropped AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 2, attnum;
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 2, 3;
SELECT 'index', schemaname, indexname, indexdef FROM pg_indexes WHERE schemaname !~ '^pg_' ORDER BY 2, 3;
SELECT 'function', proname, prosecdef, proacl::text, rolname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace JOIN pg_roles r ON r.oid = proowner WHERE nspname = 'public' AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e') ORDER BY 2;
SELECT 'sequence', schemaname, sequencename, last_value, increment_by FROM pg_sequences ORDER BY 2, 3;
SELECT 'schema', nspname, rolname, nspacl::text FROM pg_namespace n JOIN pg_roles r ON r.oid = nspowner WHERE nspname !~ '^pg_' ORDER BY 2;
SELECT 'default', defaclobjtype, defaclacl::text FROM pg_default_acl ORDER BY 2, 3;
SELECT 'policy', tablename, policyname, roles::text, qual FROM pg_policies ORDER BY 2, 3;
SELECT 'extension', extname, extversion FROM pg_extension ORDER BY 2;
SELECT 'large', md5(string_agg(md5(lo_get(oid)), '' ORDER BY md5(lo_get(oid)))) FROM pg_largeobject_metadata;
SELECT format('SELECT ''rows'', %L, count(*), md5(string_agg(md5(t::text), '''' ORDER BY md5(t::text))) FROM %I.%I t', nspname || '.' || relname, nspname, relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'm') AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname, relname \gexec
`;

/** SQL on the stack's PostgreSQL as its superuser. @returns the rows, columns separated by `|` */
export async function asSuperuser(stack: Stack, database: string, sql: string): Promise<string> {
  return stack.ok(
    "exec",
    "-T",
    "postgres",
    "psql",
    "-U",
    "postgres",
    "-d",
    database,
    "-XAtq",
    "-v",
    "ON_ERROR_STOP=1",
    "-c",
    sql,
  );
}

/** All that a database is: roles, owners, rights, settings, definitions, and a hash over the rows of every table. */
export async function fingerprint(stack: Stack, database: string): Promise<string[]> {
  return (
    await stack.fed(
      CATALOGUE,
      "exec",
      "-T",
      "postgres",
      "psql",
      "-U",
      "postgres",
      "-d",
      database,
      "-XAtq",
      "-v",
      "ON_ERROR_STOP=1",
    )
  )
    .trim()
    .split("\n");
}

/** Fills a stack named `archive`: two odd databases (`rows` in the largest table), three collections and two aliases. */
export async function fillWithOddData(stack: Stack, rows = 200_000): Promise<void> {
  const psql = ["psql", "-U", "postgres", "-d", "archive", "-Xq", "-v", "ON_ERROR_STOP=1"];
  await stack.fed(ODD_DATA.replace("ROWS", String(rows)), "exec", "-T", "postgres", ...psql);
  const create = String.raw`CREATE DATABASE "odd 'name/é" ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'`;
  await asSuperuser(stack, "postgres", create);
  await asSuperuser(stack, "odd 'name/é", "CREATE TABLE t AS SELECT generate_series(1, 3) AS n");
  await addCollection(stack, "kept", 20);
  await addCollection(stack, "käse & brot 漢", 3);
  await addCollection(stack, "empty", 0);
  await stack.qdrant("POST", "/collections/aliases", {
    actions: ["live", "näxt"].map((alias) => ({ create_alias: { alias_name: alias, collection_name: "kept" } })),
  });
}

async function addCollection(stack: Stack, name: string, count: number): Promise<void> {
  const path = `/collections/${encodeURIComponent(name)}`;
  const vectors = { dense: { size: 3, distance: "Cosine" }, second: { size: 2, distance: "Dot" } };
  await stack.qdrant("PUT", path, { vectors, sparse_vectors: { words: { modifier: "idf" } } });
  await stack.qdrant("PUT", `${path}/index`, { field_name: "n", field_schema: "integer" });
  const points = Array.from({ length: count }, (_, at) => ({
    id: at + 1,
    vector: { dense: [at + 1, 0.5, 1], second: [at, 1], words: { indices: [7, at + 100], values: [0.25, at / 3] } },
    payload: { n: at, text: `ünï ${String(at)}` },
  }));
  if (count > 0) await stack.qdrant("PUT", `${path}/points?wait=true`, { points });
}

/** A collection whose snapshot is larger than the 32 MB that Qdrant takes as one request of JSON. */
export async function addLargeCollection(stack: Stack): Promise<void> {
  await stack.qdrant("PUT", "/collections/large", { vectors: { size: 1, distance: "Dot" } });
  for (const first of [1, 21]) {
    const points = Array.from({ length: 20 }, (_, at) => ({
      id: first + at,
      vector: [first + at],
      payload: { text: String(first + at).padEnd(900_000, "é ") },
    }));
    await stack.qdrant("PUT", "/collections/large/points?wait=true", { points });
  }
}

/** Every point, setting and index of every collection of the stack's Qdrant, and its aliases. */
export async function collectionsOf(stack: Stack): Promise<string[]> {
  const { collections } = (await stack.qdrant("GET", "/collections")).result as { collections: { name: string }[] };
  const names = collections.map(({ name }) => name).toSorted();
  const contents = await Promise.all(
    names.map(async (name) => {
      const path = `/collections/${encodeURIComponent(name)}`;
      const all = { limit: 100, with_payload: true, with_vector: true };
      const points = (await stack.qdrant("POST", `${path}/points/scroll`, all)).result;
      const info = (await stack.qdrant("GET", path)).result as { config: unknown; payload_schema: unknown };
      return `${name}: ${JSON.stringify([points, info.config, info.payload_schema])}`;
    }),
  );
  return [...contents, JSON.stringify((await stack.qdrant("GET", "/aliases")).result)];
}
