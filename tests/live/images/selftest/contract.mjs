// Checks answers against upstream's OpenAPI documents in $CONTRACTS, if given.
// Run by itself, it says by its exit code whether that is possible.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** OpenAPI 3.0's `nullable` into JSON Schema, where null is a type. */
function toJsonSchema(node, inChoice = false) {
  if (Array.isArray(node)) return node.map((item) => toJsonSchema(item, inChoice));
  if (node === null || typeof node !== "object") return node;
  const { nullable, ...rest } = node;
  const out = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, toJsonSchema(value, key === "anyOf" || key === "oneOf")]),
  );
  if (nullable !== true) return out;
  // Alone, it means "anything"; as one of several choices, it means null.
  const alone = Object.keys(out).every((key) => key === "description");
  if (alone) return inChoice ? { type: "null" } : out;
  return { anyOf: [out, { type: "null" }] };
}

function load(prefix) {
  const require = createRequire(join(resolve(process.env.NODE_MODULES), "contract.js"));
  const { default: Ajv } = require("ajv");
  const yaml = require("yaml");
  const file = readdirSync(process.env.CONTRACTS).find((name) => name.startsWith(prefix));
  if (!file) throw new Error(`no ${prefix}* in ${process.env.CONTRACTS}`);
  const text = readFileSync(join(process.env.CONTRACTS, file), "utf8");
  const document = file.endsWith(".json") ? JSON.parse(text) : yaml.parse(text, { maxAliasCount: -1 });
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(toJsonSchema({ components: { schemas: document.components.schemas } }), "upstream");
  return { document, ajv, compiled: new Map() };
}

const loaded = new Map();

/** Throws when `answer` is not what the document `prefix*` says for method and path. */
export function matchesContract(prefix, method, path, answer) {
  if (!process.env.CONTRACTS) return;
  if (!loaded.has(prefix)) loaded.set(prefix, load(prefix));
  const { document, ajv, compiled } = loaded.get(prefix);
  const operation = document.paths[path]?.[method.toLowerCase()];
  if (!operation) throw new Error(`${method} ${path} is not in the contract`);
  const exact = operation.responses[answer.status];
  const response = exact ?? operation.responses[`${String(answer.status)[0]}XX`] ?? operation.responses.default;
  if (!response) throw new Error(`${method} ${path}: status ${answer.status} is not in the contract`);
  const schema = response.content?.["application/json"]?.schema;
  if (!schema) return;
  const key = `${method} ${path} ${answer.status}`;
  if (!compiled.has(key)) {
    const text = JSON.stringify(toJsonSchema(schema)).replaceAll('"#/components/', '"upstream#/components/');
    compiled.set(key, ajv.compile(JSON.parse(text)));
  }
  const validate = compiled.get(key);
  if (!validate(answer.json))
    throw new Error(`${key}: ${ajv.errorsText(validate.errors)}\n${answer.text.slice(0, 400)}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    if (!existsSync(process.env.CONTRACTS ?? "")) throw new Error("CONTRACTS names no directory");
    load("qdrant-openapi");
    load("langfuse-openapi");
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
