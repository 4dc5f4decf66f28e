import * as z from "zod/mini";

import { textOf } from "../host/files.ts";
import { EXIT, UserError } from "../lib/errors.ts";
import { check } from "../lib/schema.ts";
import { BASELINE_FILE } from "../plan/state.ts";

const figureSchema = z.strictObject({ median: z.number(), least: z.number(), most: z.number() });

export const baselineSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** When it was measured, in UTC. */
  at: z.string().check(z.regex(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)),
  machine: z.strictObject({
    id: z.string(),
    cpu: z.string(),
    architecture: z.string(),
    cores: z.int(),
    /** Bytes. */
    memory: z.number(),
  }),
  /** Milliseconds, by `SERVICE.MEASURE`. */
  measures: z.record(z.string(), z.strictObject({ p50: figureSchema, p95: figureSchema })),
});

/** How fast a stack was, once, and on which machine. */
export type Baseline = z.output<typeof baselineSchema>;

/**
 * The baseline of a framework's directory; undefined when there is none.
 * @throws UserError exit 2 for something else in its place
 */
export function readBaseline(dir: string, shown: string): Baseline | undefined {
  const file = `${shown}/${BASELINE_FILE}`;
  const text = textOf(`${dir}/${BASELINE_FILE}`, file, "refused");
  if (text === undefined) return undefined;
  const result = check(baselineSchema, parsed(text));
  if (result.success) return result.data;
  throw new UserError(`${file} is not a baseline`, {
    code: "invalid",
    exit: EXIT.usage,
    hint: "delete it; npm run validate -- --baseline measures a new one",
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function baselineText(baseline: Baseline): string {
  return `${JSON.stringify(baseline, null, 2)}\n`;
}
