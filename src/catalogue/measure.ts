import * as z from "zod/mini";

import { idSchema } from "./ids.ts";
import { requestSchema, textSchema, valuesSchema } from "./probe.ts";

/** As for a probe; what helps against a failure, a probe says. */
const stepSchema = z.omit(requestSchema, { hint: true });

const httpSchema = z.strictObject({
  url: textSchema,
  headers: valuesSchema,
  /** What has to be there first. */
  before: z._default(z.array(stepSchema), []),
  /** What is timed. */
  request: z.omit(stepSchema, { within: true }),
  /** What has to be so before anything is taken away: what is stored later could come after it. */
  after: z._default(z.array(stepSchema), []),
  /** Takes away what the requests made, also when this program is killed. */
  cleanup: z._default(z.array(stepSchema), []),
});

const sqlSchema = z.strictObject({
  /** `postgresql://…`. */
  url: textSchema,
  /**
   * What has to be there first. With it, everything happens in one transaction that is rolled back; without it, each
   * query is a transaction of its own, and must leave nothing.
   */
  before: z._default(z.array(textSchema), []),
  /** What is timed. */
  query: textSchema,
});

/** How long a running service takes for one thing, asked again and again: for `validate --baseline`. */
export const measureSchema = z
  .strictObject({
    id: idSchema,
    /** What is timed, as a sentence about one time. */
    title: textSchema,
    /** The container that must run for it; the first one without it. */
    container: z.optional(idSchema),
    /** Fewer where each of them costs the service something afterwards. */
    timesPerRepeat: z._default(z.int().check(z.gte(1), z.lte(100)), 20),
    http: z.optional(httpSchema),
    sql: z.optional(sqlSchema),
  })
  .check(
    z.refine((measure) => (measure.http === undefined) !== (measure.sql === undefined), "give either `http` or `sql`"),
  );

export type MeasureSpec = z.output<typeof measureSchema>;
