import * as z from "zod/mini";

import { externalServices, type Catalogue } from "../catalogue/catalogue.ts";
import { idSchema, portSchema } from "../catalogue/ids.ts";
import { nameProblem } from "../catalogue/names.ts";
import { once } from "../lib/once.ts";
import { usualBackupTime } from "./backup-time.ts";

// A framework.yaml on disk is as untrusted as what is typed: its name ends up in paths, SQL and shell.
const nameSchema = z.string().check(
  z.refine((name: string) => nameProblem(name) === undefined, {
    error: (issue) => nameProblem(String(issue.input)) ?? "",
  }),
);

const MAX_DESCRIPTION_LENGTH = 200;

const descriptionSchema = z.string().check(
  z.maxLength(MAX_DESCRIPTION_LENGTH, `at most ${String(MAX_DESCRIPTION_LENGTH)} characters`),
  // One line, no control characters: it is printed on terminals and written into YAML and Markdown.
  z.refine(
    // Half of a surrogate pair cannot be written to a file: what is read back would be another text.
    (text: string) => !/[\p{Control}\p{Format}\p{Surrogate}\u2028\u2029]/u.test(text),
    "one line of valid Unicode, without control characters",
  ),
);

/** What is wrong with a one-line description, or undefined when it is fine. */
export function descriptionProblem(text: string): string | undefined {
  const checked = descriptionSchema.safeParse(text);
  return checked.success ? undefined : (checked.error.issues[0]?.message ?? "not a description");
}

/**
 * A URL that is safe as an unquoted `.env` value and in Markdown: no quote, space,
 * `$`, `#` or backslash, and no user name or password (that would be a secret in a committed file).
 */
const hostUrlSchema = z.string().check(
  z.maxLength(300, "at most 300 characters"),
  z.refine((text: string) => hostUrlProblem(text) === undefined, {
    error: (issue) => hostUrlProblem(String(issue.input)) ?? "not a URL",
  }),
);

/** What is wrong with a URL for the field `host`, or undefined when it is fine. */
export function hostUrlProblem(text: string): string | undefined {
  if (!/^https?:\/\/[A-Za-z0-9._~:/?=&%+@,;[\]-]+$/.test(text)) {
    return "write a URL such as http://localhost:3000 (http or https; letters, digits and ._~:/?=&%+,;[]- only)";
  }
  if (!URL.canParse(text)) return "not a URL";
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return "a URL here must not hold a user name or password";
  return undefined;
}

const sizeSchema = z.string().check(z.regex(/^[1-9][0-9]{0,5}[kmg]$/, "a size such as 10m"));
export const imagesSchema = z.enum(["pinned", "latest", "digest"]);
/** What is wrong with a registry for the key `registry`; undefined when it is fine. */
export function registryProblem(text: string): string | undefined {
  const host = "[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?";
  const folder = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
  const isForm = text.length <= 200 && new RegExp(`^${host}(?:/${folder})*$`).test(text);
  // Without a dot or a port, Docker takes the first part for a user of Docker Hub.
  const isRegistry = /^(?:localhost(?=$|[:/])|[^/]*[.:])/.test(text);
  return isForm && isRegistry ? undefined : "a registry such as mirror.example or mirror.example:5000/dockerhub";
}

const registrySchema = z.string().check(
  z.refine((text: string) => registryProblem(text) === undefined, {
    error: (issue) => registryProblem(String(issue.input)) ?? "",
  }),
);
const digestSchema = z
  .string()
  .check(
    z.regex(/^[a-z0-9][a-z0-9._/:-]{0,199}:[\w][\w.-]{0,127}@sha256:[0-9a-f]{64}$/, "NAME:TAG@sha256:… of an image"),
  );
export const profileSchema = z.enum(["small", "medium", "large"]);
const modeSchema = z.enum(["dedicated", "external"]);
const levelSchema = z.enum(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]);
const driverSchema = z.enum(["local", "json-file"]);
const maxFileSchema = z.int().check(z.gte(1), z.lte(100));

const serviceSchema = z.strictObject({
  port: z.optional(portSchema),
  requested: z._default(z.boolean(), true),
});

const loggingSchema = z.strictObject({
  level: z._default(levelSchema, "INFO"),
  driver: z._default(driverSchema, "local"),
  maxSize: z._default(sizeSchema, "10m"),
  maxFile: z._default(maxFileSchema, 3),
});

/** Below it lie the sets, which hold all data and, at times, secrets: git must be told to leave it alone. */
const directorySchema = z
  .string()
  .check(
    z.maxLength(200, "at most 200 characters"),
    z.regex(
      /^\/?(?!\.{1,2}(?:\/|$))[\w.][\w. -]*(?:\/(?!\.{1,2}(?:\/|$))[\w.][\w. -]*)*$/,
      "a directory such as backups or /srv/backups/crewai (letters, digits, spaces and ._- only; no ..)",
    ),
  );

const lastSchema = z.int().check(z.gte(1), z.lte(1000));
const keptSchema = z.int().check(z.gte(0), z.lte(1000));

const keepSchema = z.strictObject({
  last: z._default(lastSchema, 3),
  daily: z._default(keptSchema, 7),
  weekly: z._default(keptSchema, 4),
  monthly: z._default(keptSchema, 6),
});

/** Around midnight UTC, a service that files what it takes in by date stores it late: a set would miss it. */
const timeSchema = z.string().check(
  z.regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/, 'a time of day in UTC such as "02:30"'),
  z.refine((time: string) => !/^(?:23:(?:4[5-9]|5)|00:(?:0|1[0-5]))/.test(time), {
    error: "not between 23:45 and 00:15: around midnight UTC, some services store late what they have taken in",
  }),
);

/** A restic repository. It stands in a committed file. */
const repositorySchema = z.string().check(
  z.maxLength(300, "at most 300 characters"),
  z.regex(
    /^(?:\/|[a-z0-9]+:)[\w./:@%+~=,[\]-]+$/,
    "a restic repository such as sftp:user@host:/srv/restic or /mnt/backup/restic (no spaces or quotes)",
  ),
  z.refine((text: string) => !/\/\/[^/]*:[^/]*@/.test(text), {
    error: "a repository here must not hold a password: set RESTIC_REPOSITORY in .env.restic",
  }),
);
const backupDriverSchema = z.enum(["dir", "restic"]);

const backupSchema = z.strictObject({
  driver: z._default(backupDriverSchema, "dir"),
  repository: z.optional(repositorySchema),
  directory: z._default(directorySchema, "backups"),
  at: z.optional(timeSchema),
  keep: z.prefault(keepSchema, {}),
});

const daySchema = z
  .string()
  .check(z.regex(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/, 'a day such as "2027-03-31", in quotes'));

/** A rule of `validate` that does not count: for one service, or for whatever it finds. */
const waiverSchema = z.strictObject({
  rule: z.string().check(z.minLength(1), z.maxLength(80)),
  service: z.optional(z.string().check(z.minLength(1), z.maxLength(100))),
  reason: z.string().check(z.minLength(1), z.maxLength(300)),
  expires: z.optional(daySchema),
});

const externalSchema = z.strictObject({
  mode: z._default(modeSchema, "dedicated"),
  host: z.optional(hostUrlSchema),
});

/** Where a service runs that can also be used from outside the stack. */
export interface External {
  mode: "dedicated" | "external";
  host?: string | undefined;
}

const specShape = {
  schemaVersion: z.literal(1),
  name: nameSchema,
  preset: idSchema,
  description: descriptionSchema,
  images: z._default(imagesSchema, "pinned"),
  registry: z.optional(registrySchema),
  digests: z.optional(z.record(idSchema, digestSchema)),
  profile: z._default(profileSchema, "small"),
  services: z.record(idSchema, serviceSchema),
  logging: z.prefault(loggingSchema, {}),
  backup: z.prefault(backupSchema, {}),
  waivers: z._default(z.array(waiverSchema), []),
};

type SpecShape = { [Key in keyof typeof specShape]: z.output<(typeof specShape)[Key]> };

/** `framework.yaml` as the program works with it: complete, every default filled. */
export interface Spec extends SpecShape {
  backup: SpecShape["backup"] & { at: string };
  /** By service id; in the file, each is a key of its own at the top level (`ID: {mode: …}`). */
  external: Record<string, External>;
}

/** Keys of framework.yaml that no service may take for its own `external` key. */
export const SPEC_KEYS: readonly string[] = Object.keys(specShape);

const draftShape = {
  schemaVersion: z.optional(z.literal(1)),
  name: z.optional(z.string()),
  preset: z.optional(idSchema),
  description: z.optional(descriptionSchema),
  images: z.optional(imagesSchema),
  registry: z.optional(registrySchema),
  digests: z.optional(z.record(idSchema, digestSchema)),
  profile: z.optional(profileSchema),
  services: z.optional(
    z.union(
      [
        z.array(idSchema),
        z.record(
          idSchema,
          z.nullable(z.strictObject({ port: z.optional(portSchema), requested: z.optional(z.boolean()) })),
        ),
      ],
      { error: "a list of service names, or a mapping from service name to {port, requested}" },
    ),
  ),
  logging: z.optional(
    z.strictObject({
      level: z.optional(levelSchema),
      driver: z.optional(driverSchema),
      maxSize: z.optional(sizeSchema),
      maxFile: z.optional(maxFileSchema),
    }),
  ),
  backup: z.optional(
    z.strictObject({
      driver: z.optional(backupDriverSchema),
      repository: z.optional(repositorySchema),
      directory: z.optional(directorySchema),
      at: z.optional(timeSchema),
      keep: z.optional(
        z.strictObject({
          last: z.optional(lastSchema),
          daily: z.optional(keptSchema),
          weekly: z.optional(keptSchema),
          monthly: z.optional(keptSchema),
        }),
      ),
    }),
  ),
  waivers: z.optional(z.array(waiverSchema)),
};

const draftExternalSchema = z.optional(
  z.strictObject({ mode: z.optional(modeSchema), host: z.optional(hostUrlSchema) }),
);

type DraftShape = { [Key in keyof typeof draftShape]?: z.output<(typeof draftShape)[Key]> | undefined };

/** An answers file, and what the flags and prompts add up to: any part of a spec. */
export interface Draft extends DraftShape {
  /** By service id, as in a spec; absent where nobody said anything. */
  external?: Record<string, Partial<External>> | undefined;
}

/** A draft, and the host ports that were typed beside it (`--port`, prompts), by service id. */
export interface Request {
  draft: Draft;
  ports: ReadonlyMap<string, number>;
}

type FileSchema = z.ZodMiniType<Record<string, unknown>, Record<string, unknown>>;

interface Schemas {
  /** Of framework.yaml as it is written, for its JSON Schema. */
  specFile: FileSchema;
  spec: z.ZodMiniType<Spec>;
  draftFile: FileSchema;
  draft: z.ZodMiniType<Draft>;
}

/**
 * The schemas of framework.yaml and of answers files. Each service of the catalogue that can be used from outside
 * gives both a key of its id.
 */
export function schemasFor(catalogue: Catalogue): Schemas {
  return once(schemas, catalogue, () => {
    const ids = externalServices(catalogue).map(({ id }) => id);
    const keyed = <T>(schema: T): Record<string, T> => Object.fromEntries(ids.map((id) => [id, schema]));
    const specFile = z.strictObject({
      ...specShape,
      ...keyed(z.prefault(externalSchema, {})),
    }) as unknown as FileSchema;
    const draftFile = z.strictObject({ ...draftShape, ...keyed(draftExternalSchema) }) as unknown as FileSchema;
    return {
      specFile,
      spec: z.pipe(
        specFile,
        z.transform((file: Record<string, unknown>) => {
          const { backup, ...rest } = gathered(file, ids) as unknown as SpecShape;
          return { external: {}, ...rest, backup: { ...backup, at: backup.at ?? usualBackupTime(rest.name) } };
        }),
      ),
      draftFile,
      draft: z.pipe(
        draftFile,
        z.transform((file: Record<string, unknown>) => gathered(file, ids) as Draft),
      ),
    };
  });
}

const schemas = new WeakMap<Catalogue, Schemas>();

/** The keys of external services moved below `external`. */
function gathered(file: Record<string, unknown>, ids: readonly string[]): Record<string, unknown> {
  const rest = Object.entries(file).filter(([key]) => !ids.includes(key));
  const external = Object.entries(file).filter(([key, value]) => ids.includes(key) && value !== undefined);
  return { ...Object.fromEntries(rest), ...(external.length === 0 ? {} : { external: Object.fromEntries(external) }) };
}

/** A spec as it is written into framework.yaml. */
export function specFileOf({ external, ...rest }: Spec): Record<string, unknown> {
  return { ...rest, ...external };
}

/** Whether a service is used from outside the stack. */
export function isExternal(spec: Pick<Spec, "external">, id: string): boolean {
  return spec.external[id]?.mode === "external";
}
