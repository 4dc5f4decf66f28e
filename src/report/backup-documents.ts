import * as z from "zod";

/**
 * What the emitted scripts write and print, as schemas: the manifest of a backup set, and what each script gives for
 * `--json`. The source of schema/backup-*.schema.json; the scripts themselves are Bash and know nothing of it.
 */

const idSchema = z
  .string()
  .regex(/^\d{8}T\d{6}Z$/)
  .describe("time in UTC");
const timeSchema = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/);
const countSchema = z.int().nonnegative();

const fileSchema = z.strictObject({
  path: z.string().describe("relative to the set"),
  bytes: countSchema,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** `backups/ID/manifest.json`. */
export const backupManifest = z.strictObject({
  formatVersion: z.literal(1),
  id: idSchema,
  framework: z.string(),
  created: timeSchema,
  program: z.string().describe("version of framework-infra that made the scripts"),
  reason: z.string().describe('"" for a backup, or "before the restore of ID"'),
  complete: z.boolean().describe("whether it holds every service of the stack that stores data"),
  quiesced: z.boolean().describe("whether what writes to several stores stood still"),
  eventsAtRisk: countSchema.nullable().describe("taken in, and in no store; null: not known"),
  seconds: countSchema,
  files: z.array(fileSchema).describe("of the framework's directory"),
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string(),
      serverVersion: z.string().describe('"" where the service is saved as files'),
      files: z.array(fileSchema),
      counts: z.record(z.string(), countSchema).describe("rows of each table, points of each collection"),
    }),
  ),
});

/** Of scripts/backup.sh. */
export const backupDocument = z.strictObject({
  schemaVersion: z.literal(1),
  id: idSchema,
  directory: z.string(),
  seconds: countSchema,
});

/** Of scripts/verify-backup.sh. */
export const backupVerifiedDocument = z.strictObject({
  schemaVersion: z.literal(1),
  id: idSchema,
  outcome: z.literal("verified"),
  filesOnly: z.boolean(),
  drillSeconds: countSchema.nullable().describe("how long the restore of a drill took"),
});

/** Of scripts/restore.sh. */
export const restoreDocument = z.strictObject({
  schemaVersion: z.literal(1),
  id: idSchema,
  services: z.string().describe("separated by spaces"),
  before: z.union([idSchema, z.literal("")]).describe("the set of the state before"),
  seconds: countSchema,
});

/** Of scripts/restore.sh --into. */
export const restoreIntoDocument = z.strictObject({
  schemaVersion: z.literal(1),
  id: idSchema,
  into: z.string(),
  ports: z.record(z.string(), z.string()).describe("ADDRESS:PORT on this host, by service"),
});

/** Of scripts/list-backups.sh. */
export const backupListDocument = z.strictObject({
  schemaVersion: z.literal(1),
  sets: z.array(
    z.strictObject({
      id: idSchema,
      bytes: countSchema,
      seconds: countSchema,
      complete: z.boolean(),
      quiesced: z.boolean(),
      reason: z.string(),
      services: z.array(z.string()),
    }),
  ),
});

/** Of scripts/backup-status.sh. */
export const backupStatusDocument = z.strictObject({
  schemaVersion: z.literal(1),
  newest: idSchema.nullable(),
  ageSeconds: z.int().nullable(),
  drill: z
    .strictObject({ time: timeSchema, id: idSchema, seconds: countSchema })
    .nullable()
    .describe("the last one that succeeded"),
  problems: z.array(z.string()),
});

/** Of scripts/recovery-kit.sh. */
export const recoveryKitDocument = z.strictObject({
  schemaVersion: z.literal(1),
  framework: z.string(),
  files: z.array(z.string()).describe("to keep outside this host"),
  permanent: z.array(z.string()).describe("secrets without which restored data cannot be used"),
  repository: z.string().nullable().describe('of restic; "" where .env.restic says it, null without restic'),
  newest: idSchema.nullable().describe("complete set"),
});

/** Of each of them, when it failed. */
export const backupErrorDocument = z.strictObject({
  schemaVersion: z.literal(1),
  error: z.strictObject({ code: z.int().min(20).max(49), message: z.string(), hint: z.string() }),
});
