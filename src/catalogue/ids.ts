import * as z from "zod/mini";

// Before the first schema is made: how schemas work and what they say.
import "../lib/schema.ts";

import { MAX_NAME_LENGTH, NAME_PATTERN } from "./names.ts";

/** Ids of services and presets: the same letters as a framework name. */
export const idSchema = z
  .string()
  .check(
    z.regex(NAME_PATTERN, "use lower-case letters, digits and single hyphens"),
    z.maxLength(MAX_NAME_LENGTH, `at most ${String(MAX_NAME_LENGTH)} characters`),
  );

const A_PORT = "a port is a whole number from 1 to 65535";

export const portSchema = z.int(A_PORT).check(z.gte(1, A_PORT), z.lte(65_535, A_PORT));
