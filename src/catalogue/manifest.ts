import * as z from "zod";

import { idSchema, portSchema } from "../spec/schema.ts";

/** Name of an environment variable. */
const variableSchema = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "an upper-case variable name such as QDRANT_PORT");

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
    description: z.string().min(1),
    value: z.string().optional(),
    /** Fixed text before a secret's random part, e.g. `pk-lf-`. */
    prefix: z
      .string()
      .regex(/^[a-z-]*$/)
      .optional(),
    /** How a secret is rotated, one paragraph of Markdown; every secret must say it. */
    rotate: z.string().optional(),
  })
  .refine(
    (entry) => entry.class !== "secret" || entry.rotate !== undefined,
    "a secret needs `rotate`: how it is rotated",
  )
  .refine((entry) => entry.class !== "managed" || entry.value !== undefined, "a managed variable needs `value`");

export type EnvEntry = z.output<typeof envEntrySchema>;

const limitsSchema = z.strictObject({
  memory: z.string().regex(/^[1-9][0-9]*[mg]$/, "a size such as 512m or 2g"),
  cpus: z.string().regex(/^[0-9]+(?:\.[0-9]+)?$/, 'a number as text, such as "0.5"'),
  pids: z.int().min(1),
});

export type Limits = z.output<typeof limitsSchema>;

const containerSchema = z
  .strictObject({
    name: idSchema,
    /** Prefix of its variables: QDRANT gives QDRANT_IMAGE, QDRANT_MEMORY_LIMIT, ... */
    variable: variableSchema,
    /** What another version of its image asks for: shown when an update brings one. */
    upgrade: z
      .strictObject({
        /**
         * Refused beyond it: `one-minor`, back or past the next minor version; `same-major`, another major one.
         * Absent: nothing is refused.
         */
        limit: z.enum(["one-minor", "same-major"]).optional(),
        help: z.string().min(1),
      })
      .optional(),
    /** Absent: it runs the image of the container whose name stands in `imageOf`. */
    image: z.strictObject({ pinned: z.string().min(1), latest: z.string().min(1) }).optional(),
    imageOf: idSchema.optional(),
    /** True for a container that does one thing and exits 0. */
    oneShot: z.boolean().default(false),
    /** Open files it needs, where that is more than engines usually give. */
    nofile: z.int().min(1024).optional(),
    limits: z.strictObject({ small: limitsSchema, medium: limitsSchema, large: limitsSchema }),
  })
  .refine(
    (container) => (container.image === undefined) !== (container.imageOf === undefined),
    "give either `image` or `imageOf`",
  );

export type Container = z.output<typeof containerSchema>;

const publishedPortSchema = z
  .strictObject({
    variable: variableSchema,
    protocol: z.enum(["tcp", "udp"]).default("tcp"),
    /** First host port of this service; slot n proposes base + n. */
    base: portSchema,
    /** Last host port of its range. */
    last: portSchema,
    /** What listens inside the container. */
    container: portSchema,
    /** How a person uses it, with `{{port}}`: `http://localhost:{{port}}/dashboard`. */
    url: z.string().min(1),
  })
  .refine((port) => port.last >= port.base, "`last` is below `base`");

export const manifestSchema = z.strictObject({
  schemaVersion: z.literal(1),
  id: idSchema,
  title: z.string().min(1),
  summary: z.string().min(1),
  /** `choice`: offered in the interview; `dependency`: comes with what requires it. */
  offer: z.enum(["choice", "dependency"]),
  /** Part of the selection that `--yes` takes. */
  default: z.boolean().default(false),
  requires: z.array(idSchema).default([]),
  port: publishedPortSchema.optional(),
  containers: z.array(containerSchema).min(1),
  volumes: z
    .array(z.strictObject({ name: z.string().regex(/^[a-z][a-z0-9_]*$/), holds: z.string().min(1) }))
    .default([]),
  env: z.array(envEntrySchema).default([]),
  /** Can be used from elsewhere instead of run here: the variables that take its place. */
  external: z.strictObject({ env: z.array(envEntrySchema) }).optional(),
  /** Framework names (whole, as a regular expression) that would clash with its own database, role or container names. */
  reservedNames: z.array(z.string()).default([]),
  /** What a backup of it must hold; shown in the directory's README. */
  backup: z.array(z.string()).default([]),
});

export type Manifest = z.output<typeof manifestSchema>;

export const presetSchema = z.strictObject({
  schemaVersion: z.literal(1),
  id: idSchema,
  title: z.string().min(1),
  summary: z.string().min(1),
  /** Its row of the port table; none: the first free slot from 5 on. */
  slot: z.int().min(0).max(4).optional(),
  /** The preset for every name that has none of its own. */
  fallback: z.boolean().default(false),
  env: z.array(envEntrySchema).default([]),
  python: z
    .strictObject({ package: z.string().min(1), module: z.string().regex(/^[A-Za-z_][\w.]*$/), docs: z.url() })
    .optional(),
  /** Python statements that wire the framework up; they run only when its package is installed. */
  example: z.string().optional(),
});

export type Preset = z.output<typeof presetSchema>;

/** Variables that every directory has, whatever its services. */
export const commonEnvSchema = z.strictObject({ schemaVersion: z.literal(1), env: z.array(envEntrySchema) });
