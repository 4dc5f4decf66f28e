import * as z from "zod/mini";

import { idSchema, portSchema } from "./ids.ts";
import { measureSchema } from "./measure.ts";
import { probeSchema } from "./probe.ts";

const textSchema = z.string().check(z.minLength(1));

/** Name of an environment variable. */
const variableSchema = z.string().check(z.regex(/^[A-Z][A-Z0-9_]*$/, "an upper-case variable name such as API_PORT"));

/**
 * One variable of `.env.template` and `.env`.
 * - `secret`: made once from a CSPRNG, never changed by a command
 * - `managed`: follows the spec as long as the user did not change it; `value` may name
 *   other variables as `${NAME}` and spec values as `{{name}}`
 * - `user`: for the user to fill in; empty or `value` at first
 */
const envEntrySchema = z
  .strictObject({
    name: variableSchema,
    class: z.enum(["secret", "managed", "user"]),
    description: textSchema,
    value: z.optional(z.string()),
    /** A group whose variables must all differ in `.env`, such as the roles of a database. */
    unique: z.optional(idSchema),
    /** Values that `.env` may not give it: a regular expression for the whole value, in any case. */
    reserved: z.optional(z.string()),
    /** The form that its service takes: a regular expression for the whole value. */
    form: z.optional(textSchema),
    /** Fixed text before a secret's random part, e.g. `pk-lf-`. */
    prefix: z.optional(z.string().check(z.regex(/^[a-z-]*$/))),
    /** How a secret is rotated, one paragraph of Markdown; every secret must say it. */
    rotate: z.optional(z.string()),
    /** Of a secret: without this very value, restored data cannot be used. */
    permanent: z.optional(z.boolean()),
    /** Of a variable that every directory has and people fill in: the heading it is under in `.env`. */
    section: z.optional(textSchema),
  })
  .check(
    z.refine(
      (entry) => entry.class !== "secret" || entry.rotate !== undefined,
      "a secret needs `rotate`: how it is rotated",
    ),
    z.refine((entry) => entry.class !== "managed" || entry.value !== undefined, "a managed variable needs `value`"),
  );

export type EnvEntry = z.output<typeof envEntrySchema>;

const limitsSchema = z.strictObject({
  memory: z.string().check(z.regex(/^[1-9][0-9]*[mg]$/, "a size such as 512m or 2g")),
  cpus: z.string().check(z.regex(/^[0-9]+(?:\.[0-9]+)?$/, 'a number as text, such as "0.5"')),
  pids: z.int().check(z.gte(1)),
});

export type Limits = z.output<typeof limitsSchema>;

const containerSchema = z
  .strictObject({
    name: idSchema,
    /** Prefix of its variables: QDRANT gives QDRANT_IMAGE, QDRANT_MEMORY_LIMIT, ... */
    variable: variableSchema,
    /** What another version of its image asks for: shown when an update brings one. */
    upgrade: z.optional(
      z.strictObject({
        /**
         * Refused beyond it: `one-minor`, back or past the next minor version; `same-major`, another major one.
         * Absent: nothing is refused.
         */
        limit: z.optional(z.enum(["one-minor", "same-major"])),
        help: textSchema,
      }),
    ),
    /** Absent: it runs the image of the container whose name stands in `imageOf`. */
    image: z.optional(z.strictObject({ pinned: textSchema, latest: textSchema })),
    imageOf: z.optional(idSchema),
    /** True for a container that does one thing and exits 0. */
    oneShot: z._default(z.boolean(), false),
    /** Rules of `validate` that it breaks as it is generated, each with the reason. */
    exceptions: z._default(z.array(z.strictObject({ rule: textSchema, reason: textSchema })), []),
    /** Open files it needs, where that is more than engines usually give. */
    nofile: z.optional(z.int().check(z.gte(1024))),
    limits: z.strictObject({ small: limitsSchema, medium: limitsSchema, large: limitsSchema }),
  })
  .check(
    z.refine(
      (container) => (container.image === undefined) !== (container.imageOf === undefined),
      "give either `image` or `imageOf`",
    ),
  );

export type Container = z.output<typeof containerSchema>;

const publishedPortSchema = z
  .strictObject({
    variable: variableSchema,
    protocol: z._default(z.enum(["tcp", "udp"]), "tcp"),
    /** First host port of this service; slot n proposes base + n. */
    base: portSchema,
    /** Last host port of its range. */
    last: portSchema,
    /** What listens inside the container. */
    container: portSchema,
    /** How a person uses it, with `{{port}}`: `http://localhost:{{port}}/dashboard`. */
    url: textSchema,
  })
  .check(z.refine((port) => port.last >= port.base, "`last` is below `base`"));

const volumeSchema = z
  .strictObject({
    name: z.string().check(z.regex(/^[a-z][a-z0-9_]*$/)),
    holds: textSchema,
    /** `service`: by the service's own part, `emit/scripts/services/ID.sh`; `files`: as files, while it is stopped. */
    saved: z.optional(z.enum(["service", "files"])),
    /** Why a backup leaves it out. */
    notSaved: z.optional(textSchema),
  })
  .check(
    z.refine(
      (volume) => (volume.saved === undefined) !== (volume.notSaved === undefined),
      "say how a backup saves it (`saved: service` or `saved: files`), or why not (`notSaved: …`)",
    ),
  );

export const manifestSchema = z.strictObject({
  schemaVersion: z.literal(1),
  id: idSchema,
  title: textSchema,
  summary: textSchema,
  /** `choice`: offered in the interview; `dependency`: comes with what requires it. */
  offer: z.enum(["choice", "dependency"]),
  /** Part of the selection that `--yes` takes. */
  default: z._default(z.boolean(), false),
  requires: z._default(z.array(idSchema), []),
  /** Whether it has an internal network of its id, for those that use it alone; else it is on `internal`, or none. */
  ownNetwork: z._default(z.boolean(), false),
  port: z.optional(publishedPortSchema),
  containers: z.array(containerSchema).check(z.minLength(1)),
  volumes: z._default(z.array(volumeSchema), []),
  env: z._default(z.array(envEntrySchema), []),
  /** Can be used from elsewhere instead of run here: the variables that take its place. */
  external: z.optional(
    z.strictObject({
      env: z.array(envEntrySchema),
      /** What to do before the first start where it is used from outside; shown after `new-framework`. */
      next: z.optional(textSchema),
      /** Which of `probes` are asked of it there: of those over HTTP, TCP and SQL. */
      probes: z._default(z.array(idSchema), []),
    }),
  ),
  /** Framework names (whole, as a regular expression) that would clash with its own database, role or container names. */
  reservedNames: z._default(z.array(z.string()), []),
  /** What it needs of the host, which `doctor` looks at. */
  host: z.optional(
    z.strictObject({
      /** Flags of the processor (/proc/cpuinfo), by Node's name of the architecture. */
      cpu: z._default(z.partialRecord(z.enum(["x64", "arm64"]), z.array(textSchema)), {}),
      /** Whether its volumes must not be on a network or FUSE file system. */
      blockStorage: z._default(z.boolean(), false),
      /** The least value of settings of the kernel, such as vm.max_map_count. */
      kernel: z._default(z.record(z.string().check(z.regex(/^[a-z0-9_.]+$/)), z.int()), {}),
    }),
  ),
  /** What `validate --live` asks of it. */
  probes: z._default(z.array(probeSchema), []),
  /** What `validate --baseline` times. */
  measures: z._default(z.array(measureSchema), []),
  /** What a backup of it must hold; shown in the directory's README. */
  backup: z._default(z.array(z.string()), []),
  /** In which form its containers log: JSON with which fields, or text and why; shown in the directory's README. */
  log: z.optional(textSchema),
});

export type Manifest = z.output<typeof manifestSchema>;

export const presetSchema = z.strictObject({
  schemaVersion: z.literal(1),
  id: idSchema,
  title: textSchema,
  summary: textSchema,
  /** Its row of the port table; none: the first free slot from 5 on. */
  slot: z.optional(z.int().check(z.gte(0), z.lte(4))),
  /** The preset for every name that has none of its own. */
  fallback: z._default(z.boolean(), false),
  env: z._default(z.array(envEntrySchema), []),
  python: z.optional(
    z.strictObject({
      package: textSchema,
      module: z.string().check(z.regex(/^[A-Za-z_][\w.]*$/)),
      docs: z.url(),
    }),
  ),
  /** Python statements that wire the framework up; they run only when its package is installed. */
  example: z.optional(z.string()),
});

export type Preset = z.output<typeof presetSchema>;

/** Variables that every directory has, whatever its services. */
export const commonEnvSchema = z.strictObject({ schemaVersion: z.literal(1), env: z.array(envEntrySchema) });
