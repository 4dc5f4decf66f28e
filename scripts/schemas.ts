// Writes schema/: the JSON Schemas of framework.yaml, of the catalogue's files and of every --json document.
// A test fails when they differ from what the zod schemas say.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";

import { commonEnvSchema, manifestSchema, presetSchema } from "../src/catalogue/manifest.ts";
import * as backup from "../src/report/backup-documents.ts";
import {
  changesDocument,
  doctorDocument,
  errorDocument,
  planDocument,
  plansDocument,
  portsDocument,
  statusDocument,
  validateDocument,
} from "../src/report/documents.ts";
import { baselineSchema } from "../src/store/baseline.ts";
import { loadCatalogue } from "../src/catalogue/load.ts";
import { DESCRIPTIONS } from "../src/spec/descriptions.ts";
import { schemasFor } from "../src/spec/schema.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
// The built-in services say which keys for services outside the stack there are.
const { specFile, draftFile } = schemasFor(await loadCatalogue(join(root, "templates")));

const SOURCES = {
  framework: { schema: specFile, title: "framework.yaml: what a framework's directory is made of" },
  answers: { schema: draftFile, title: "Answers for new-framework: a framework.yaml or any part of one" },
  service: { schema: manifestSchema, title: "templates/services/<id>/service.yaml: a service of the catalogue" },
  preset: { schema: presetSchema, title: "templates/presets/<id>.yaml: a framework with its variables and example" },
  env: { schema: commonEnvSchema, title: "templates/framework/env.yaml: variables that every directory has" },
  plan: { schema: planDocument, title: "--json of a writing command: the plan" },
  plans: { schema: plansDocument, title: "--json of ports --fix: the plan of each framework that moves" },
  ports: { schema: portsDocument, title: "--json of ports: the allocation table" },
  status: { schema: statusDocument, title: "--json of status: the state of every file" },
  doctor: { schema: doctorDocument, title: "--json of doctor: the checks of this host" },
  validate: { schema: validateDocument, title: "--json of validate: findings and probes" },
  baseline: { schema: baselineSchema, title: ".scaffold/host/baseline.json: how fast a stack was on this host" },
  changes: { schema: changesDocument, title: "What validate --every tells a webhook or a command" },
  "backup-manifest": { schema: backup.backupManifest, title: "backups/ID/manifest.json: a backup set" },
  backup: { schema: backup.backupDocument, title: "--json of scripts/backup.sh" },
  "backup-verified": { schema: backup.backupVerifiedDocument, title: "--json of scripts/verify-backup.sh" },
  "backup-list": { schema: backup.backupListDocument, title: "--json of scripts/list-backups.sh" },
  "backup-status": { schema: backup.backupStatusDocument, title: "--json of scripts/backup-status.sh" },
  restore: { schema: backup.restoreDocument, title: "--json of scripts/restore.sh" },
  "restore-into": { schema: backup.restoreIntoDocument, title: "--json of scripts/restore.sh --into" },
  "recovery-kit": { schema: backup.recoveryKitDocument, title: "--json of scripts/recovery-kit.sh" },
  "backup-error": { schema: backup.backupErrorDocument, title: "--json of any of these scripts that failed" },
  error: { schema: errorDocument, title: "--json of any command that failed" },
} as const;

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
}

/** A JSON Schema with what its keys mean. @param path of the schema inside the file */
function described(schema: JsonSchema, path: readonly string[] = []): JsonSchema {
  const text = DESCRIPTIONS[path.join(".")] ?? DESCRIPTIONS[["*", ...path.slice(1)].join(".")];
  const { properties, additionalProperties, ...rest } = schema;
  const below = Object.entries(properties ?? {}).map(([key, value]) => [key, described(value, [...path, key])]);
  return {
    ...(text === undefined ? {} : { description: text }),
    ...rest,
    ...(properties === undefined ? {} : { properties: Object.fromEntries(below) as Record<string, JsonSchema> }),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties:
            typeof additionalProperties === "object"
              ? described(additionalProperties, [...path, "*"])
              : additionalProperties,
        }),
  };
}

/** Every schema file by name, as it must stand in schema/. */
export function schemaFiles(): Map<string, string> {
  return new Map(
    Object.entries(SOURCES).map(([name, { schema, title }]) => {
      // "input": keys with a default may be left out in a file that a person writes.
      const { $schema, ...plain } = z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" });
      const body = name === "framework" ? described(plain as JsonSchema) : plain;
      return [`${name}.schema.json`, `${JSON.stringify({ $schema, title, ...body }, null, 2)}\n`];
    }),
  );
}

const [, script] = process.argv;
if (script === fileURLToPath(import.meta.url)) {
  const folder = join(root, "schema");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of schemaFiles()) writeFileSync(join(folder, name), text);
}
