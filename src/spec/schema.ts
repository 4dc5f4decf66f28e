import * as z from "zod";

import { MAX_NAME_LENGTH, NAME_PATTERN, nameProblem } from "./names.ts";

// A framework.yaml on disk is as untrusted as what is typed: its name ends up in paths, SQL and shell.
const nameSchema = z
  .string()
  .refine((name) => nameProblem(name) === undefined, { error: (issue) => nameProblem(String(issue.input)) ?? "" });

/** Ids of services and presets: the same letters as a framework name. */
export const idSchema = z
  .string()
  .regex(NAME_PATTERN, "use lower-case letters, digits and single hyphens")
  .max(MAX_NAME_LENGTH);

export const portSchema = z
  .int("a port is a whole number from 1 to 65535")
  .min(1, "a port is a whole number from 1 to 65535")
  .max(65_535, "a port is a whole number from 1 to 65535");

const MAX_DESCRIPTION_LENGTH = 200;

const descriptionSchema = z
  .string()
  .max(MAX_DESCRIPTION_LENGTH, `at most ${String(MAX_DESCRIPTION_LENGTH)} characters`)
  // One line, no control characters: it is printed on terminals and written into YAML and Markdown.
  .refine((text) => !/[\p{Control}\p{Format}\u2028\u2029]/u.test(text), "one line, without control characters");

/**
 * A URL that is safe as an unquoted `.env` value and in Markdown: no quote, blank,
 * `$`, `#` or backslash, and no user name or password (that would be a secret in a committed file).
 */
const hostUrlSchema = z
  .string()
  .max(300, "at most 300 characters")
  .refine((text) => hostUrlProblem(text) === undefined, {
    error: (issue) => hostUrlProblem(String(issue.input)) ?? "not a URL",
  });

export function hostUrlProblem(text: string): string | undefined {
  if (!/^https?:\/\/[A-Za-z0-9._~:/?=&%+@,;[\]-]+$/.test(text)) {
    return "write a URL such as http://localhost:3000 (http or https; letters, digits and ._~:/?=&%+,;[]- only)";
  }
  if (!URL.canParse(text)) return "not a URL";
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return "a URL here must not hold a user name or password";
  return undefined;
}

const sizeSchema = z.string().regex(/^[1-9][0-9]{0,5}[kmg]$/, "a size such as 10m");

const imagesSchema = z.enum(["pinned", "latest"]);
export const profileSchema = z.enum(["small", "medium", "large"]);
const langfuseModeSchema = z.enum(["dedicated", "external"]);

const serviceSchema = z.strictObject({
  port: portSchema.optional().describe("host port; only services that publish one have it"),
  requested: z
    .boolean()
    .default(true)
    .describe("false: it came as a dependency and goes when nothing needs it any more"),
});

const langfuseSchema = z.strictObject({
  mode: langfuseModeSchema.default("dedicated"),
  host: hostUrlSchema.optional().describe("URL of the Langfuse that already runs (mode: external)"),
});

const loggingSchema = z.strictObject({
  level: z
    .enum(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
    .default("INFO")
    .describe("the application's root level"),
  driver: z.enum(["local", "json-file"]).default("local").describe("Docker's log driver for every container"),
  maxSize: sizeSchema.default("10m").describe("a log file is rotated at this size"),
  maxFile: z.int().min(1).max(100).default(3).describe("how many rotated files are kept for each container"),
});

const waiverSchema = z.strictObject({
  rule: z.string().min(1).max(80),
  service: idSchema,
  reason: z.string().min(1).max(300),
});

/** `framework.yaml` as the program works with it: complete, every default filled. */
export const specSchema = z.strictObject({
  schemaVersion: z.literal(1),
  name: nameSchema,
  preset: idSchema,
  description: descriptionSchema,
  images: imagesSchema.default("pinned"),
  profile: profileSchema.default("small"),
  langfuse: langfuseSchema.prefault({}),
  services: z.record(idSchema, serviceSchema),
  logging: loggingSchema.prefault({}),
  waivers: z.array(waiverSchema).default([]),
});

export type Spec = z.output<typeof specSchema>;

/** An answers file, and what the flags and prompts add up to: any part of a spec. */
export const draftSchema = z.strictObject({
  schemaVersion: z.literal(1).optional(),
  name: z.string().optional(),
  preset: idSchema.optional(),
  description: descriptionSchema.optional(),
  images: imagesSchema.optional(),
  profile: profileSchema.optional(),
  langfuse: z.strictObject({ mode: langfuseModeSchema.optional(), host: hostUrlSchema.optional() }).optional(),
  services: z
    .union(
      [
        z.array(idSchema),
        z.record(
          idSchema,
          z.strictObject({ port: portSchema.optional(), requested: z.boolean().optional() }).nullable(),
        ),
      ],
      {
        error: "a list of service names, or a mapping from service name to {port, requested}",
      },
    )
    .optional(),
  logging: z
    .strictObject({
      level: loggingSchema.shape.level.unwrap().optional(),
      driver: loggingSchema.shape.driver.unwrap().optional(),
      maxSize: sizeSchema.optional(),
      maxFile: z.int().min(1).max(100).optional(),
    })
    .optional(),
  waivers: z.array(waiverSchema).optional(),
});

export type Draft = z.output<typeof draftSchema>;

/** A draft, and the host ports that were typed beside it (`--port`, prompts), by service id. */
export interface Request {
  draft: Draft;
  ports: ReadonlyMap<string, number>;
}
