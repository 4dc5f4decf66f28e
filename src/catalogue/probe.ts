import * as z from "zod/mini";

import { idSchema } from "./ids.ts";

export const textSchema = z.string().check(z.minLength(1));

/** Values in which `${NAME}` of `.env`, and of the probe itself (`PROBE_…`), is filled in. */
export const valuesSchema = z._default(z.record(z.string(), textSchema), {});

/** Milliseconds are for machines: here, whole seconds. */
const secondsSchema = z.int().check(z.gte(1), z.lte(600));

/** One request over HTTP. */
export const requestSchema = z.strictObject({
  method: z._default(z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]), "GET"),
  /** Path and query, below the probe's `url`. */
  path: z.string().check(z.regex(/^\//, "a path that starts with /")),
  /** Headers instead of the probe's; none: `{}`. */
  headers: z.optional(z.record(z.string(), z.string())),
  /** Sent as JSON. */
  body: z.optional(z.unknown()),
  expect: z._default(
    z.strictObject({
      /** Status codes that are right. */
      status: z._default(z.array(z.int().check(z.gte(100), z.lte(599))), [200]),
      /** Text that the answer must hold. */
      contains: z.optional(textSchema),
      /** Values at places of a JSON answer, such as `result.points.0.id`. */
      json: z._default(z.record(z.string(), z.unknown()), {}),
    }),
    { status: [200], json: {} },
  ),
  /** Asked again until it is as expected, for at most so many seconds: for what is stored later. */
  within: z.optional(secondsSchema),
  /** What it means that this request is answered otherwise; else the probe's `hint`. */
  hint: z.optional(textSchema),
});

export type ProbeRequest = z.output<typeof requestSchema>;

const httpSchema = z.strictObject({
  url: textSchema,
  headers: valuesSchema,
  requests: z.array(requestSchema).check(z.minLength(1)),
  /** Takes away what the requests made. Also carried out when they fail, and when this program is killed. */
  cleanup: z._default(z.array(requestSchema), []),
});

const sqlSchema = z.strictObject({
  /** `postgresql://…`. Everything happens in a transaction that is rolled back, so nothing can be left. */
  url: textSchema,
  statements: z._default(
    z.array(
      z.strictObject({
        query: textSchema,
        /** The first column of the first row, as text. */
        value: z.optional(z.string()),
        hint: z.optional(textSchema),
      }),
    ),
    [],
  ),
  /** The server must refuse, with one of these SQLSTATE codes. */
  refused: z._default(z.array(z.string().check(z.regex(/^[0-9A-Z]{5}$/))), []),
});

const execSchema = z.strictObject({
  /**
   * `peer`: in a new container of the same image on one of its networks; `container`: in the container itself.
   */
  from: z._default(z.enum(["peer", "container"]), "peer"),
  env: valuesSchema,
  /** For `sh`. Exit 0 is a pass; what it prints last is shown. */
  script: textSchema,
});

const reachSchema = z.strictObject({
  /**
   * For `sh`: exit 0 if the service answers at `$HOST`. Must succeed inside the container, with its own address, and fail
   * in a container on a network of somebody else.
   */
  script: textSchema,
});

/** A question to a running service, by one of the protocols that this program speaks. */
export const probeSchema = z
  .strictObject({
    id: idSchema,
    /** What is so when it passes. */
    title: textSchema,
    /** The container that must run for it; the first one without it. */
    container: z.optional(idSchema),
    /** Whether it writes something for a moment: left out with --read-only. */
    writes: z._default(z.boolean(), false),
    /** What to do when it fails. */
    hint: textSchema,
    /** What to do for one reason to fail: a status, an SQLSTATE, an exit code, `content`, or `ECONNREFUSED`. */
    hints: z._default(z.record(z.string(), textSchema), {}),
    http: z.optional(httpSchema),
    tcp: z.optional(z.strictObject({ host: textSchema, port: textSchema })),
    sql: z.optional(sqlSchema),
    exec: z.optional(execSchema),
    reach: z.optional(reachSchema),
  })
  .check(
    z.refine(
      (probe) =>
        [probe.http, probe.tcp, probe.sql, probe.exec, probe.reach].filter((each) => each !== undefined).length === 1,
      "give one of `http`, `tcp`, `sql`, `exec` and `reach`",
    ),
  );

export type ProbeSpec = z.output<typeof probeSchema>;
