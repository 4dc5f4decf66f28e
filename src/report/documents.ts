import * as z from "zod";

/**
 * The documents that `--json` prints, as schemas: the source of schema/*.schema.json and of the types
 * that the commands fill in. Imported for its types only, so that no command loads zod for it.
 */

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

const planSchema = z.strictObject({
  framework: z.string(),
  actions: z.array(
    z.strictObject({
      path: z.string().describe("relative to the framework's directory"),
      action: z.enum(["create", "update", "merge", "keep", "delete", "conflict"]),
      reason: z.string(),
      before: sha256Schema.nullable().describe("of the bytes on disk; null: there is no such file"),
      after: sha256Schema.nullable().describe("of the bytes that stand there afterwards; null: no file"),
    }),
  ),
});

export const planDocument = z.strictObject({ schemaVersion: z.literal(1), ...planSchema.shape });

/** Of a command that changes several frameworks at once. */
export const plansDocument = z.strictObject({
  schemaVersion: z.literal(1),
  plans: z.array(planSchema),
  errors: z
    .array(
      z.strictObject({
        framework: z.string(),
        code: z.string(),
        message: z.string(),
        hint: z.string().nullable(),
      }),
    )
    .optional()
    .describe("of the frameworks that failed"),
});

export const portsDocument = z.strictObject({
  schemaVersion: z.literal(1),
  ports: z.array(
    z.strictObject({
      framework: z.string().describe('directory below the root; "" for a file in the root itself'),
      service: z.string(),
      variable: z.string().nullable().describe("the .env variable the port comes from"),
      protocol: z.enum(["tcp", "udp"]),
      address: z.string(),
      port: z.int().min(1).max(65_535),
      source: z.enum(["spec", "env", "foreign"]),
      state: z.enum(["free", "listening", "unknown"]),
    }),
  ),
});

export const statusDocument = z.strictObject({
  schemaVersion: z.literal(1),
  frameworks: z.array(
    z.strictObject({
      name: z.string(),
      files: z.array(
        z.strictObject({ path: z.string(), state: z.enum(["clean", "edited", "missing", "conflicted", "outdated"]) }),
      ),
      conflicts: z.array(z.string()).describe("paths with an .incoming beside them"),
      outdated: z.boolean().describe("the spec or the templates give something else than what was last generated"),
    }),
  ),
});

const figureSchema = z
  .strictObject({ median: z.number(), least: z.number(), most: z.number() })
  .describe("milliseconds: the median of several repeats, and the least and the most of them");

const latencySchema = z.strictObject({ p50: figureSchema, p95: figureSchema });

export const validateDocument = z.strictObject({
  schemaVersion: z.literal(1),
  frameworks: z.array(
    z.strictObject({
      name: z.string(),
      findings: z.array(
        z.strictObject({
          rule: z.string(),
          severity: z.enum(["error", "warning", "info"]),
          outcome: z
            .enum(["fail", "unknown", "waived"])
            .describe("unknown: it could not be told whether the rule holds"),
          service: z.string().nullable(),
          file: z.string().nullable().describe("as the root was given"),
          line: z.int().min(1).nullable(),
          key: z.string().nullable().describe("in a YAML file, its keys with dots between them; in .env, the variable"),
          message: z.string(),
          fix: z.string(),
        }),
      ),
      probes: z.array(
        z.strictObject({
          id: z.string().describe("one that every container is asked, such as state; or SERVICE.PROBE of a manifest"),
          service: z.string().describe('of the Compose file; "" for the stack as a whole'),
          outcome: z.enum(["pass", "fail", "unknown"]),
          ms: z.number(),
          message: z.string(),
          hint: z.string().describe("empty where nothing is wrong"),
        }),
      ),
      measures: z
        .array(
          z.strictObject({
            id: z.string().describe("SERVICE.MEASURE of a manifest"),
            service: z.string().describe("of the Compose file"),
            ...latencySchema.shape,
            baseline: z
              .strictObject({ at: z.string().describe("when it was kept, in UTC"), ...latencySchema.shape })
              .nullable()
              .describe("of this machine"),
            comparison: z
              .enum(["slower", "faster", "same"])
              .nullable()
              .describe("slower and faster: the repeats of both runs do not overlap"),
          }),
        )
        .optional()
        .describe("only where figures were taken: with --baseline, or where there is a baseline of this machine"),
      unmeasured: z.array(z.string()).optional().describe("what --baseline could not measure or keep, as sentences"),
    }),
  ),
  summary: z.strictObject({
    pass: z
      .int()
      .describe("how many times a rule was kept (by a service, by .env, by a directory), and probes that passed"),
    fail: z.int(),
    unknown: z.int(),
    waived: z.int(),
  }),
});

/** What a webhook and a command of `validate --every` are told. */
export const changesDocument = z.strictObject({
  schemaVersion: z.literal(1),
  at: z.string().describe("when the round began, in UTC"),
  changes: z.array(
    z.strictObject({
      framework: z.string(),
      service: z.string().describe('"" for the framework as a whole'),
      check: z.string().describe("the id of the rule or the probe"),
      from: z.enum(["pass", "fail", "unknown", "waived"]).nullable().describe("null in the first round"),
      to: z.enum(["pass", "fail", "unknown", "waived"]),
      message: z.string(),
      fix: z.string().describe("empty where nothing is wrong"),
    }),
  ),
});

export const doctorDocument = z.strictObject({
  schemaVersion: z.literal(1),
  checks: z.array(
    z.strictObject({
      id: z.string(),
      outcome: z.enum(["pass", "fail", "unknown"]),
      message: z.string(),
      fix: z.string().describe("empty where nothing is wrong"),
    }),
  ),
});

export const errorDocument = z.strictObject({
  schemaVersion: z.literal(1),
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    hint: z.string().nullable(),
    details: z.array(
      z.strictObject({
        message: z.string(),
        file: z.string().optional(),
        line: z.int().min(1).optional(),
        key: z.string().optional(),
      }),
    ),
  }),
});

export type PlanDocument = z.output<typeof planDocument>;
export type PlansDocument = z.output<typeof plansDocument>;
export type PortsDocument = z.output<typeof portsDocument>;
export type StatusDocument = z.output<typeof statusDocument>;
export type ValidateDocument = z.output<typeof validateDocument>;
export type ChangesDocument = z.output<typeof changesDocument>;
export type DoctorDocument = z.output<typeof doctorDocument>;
export type ErrorDocument = z.output<typeof errorDocument>;
