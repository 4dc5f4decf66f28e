import { requireService, type Catalogue } from "../catalogue/catalogue.ts";
import { problemsError, type Problem } from "../errors.ts";
import type { Spec } from "../spec/schema.ts";
import { mapping } from "../spec/mapping.ts";
import { parseForeignYaml } from "../spec/yaml.ts";
import type { Tree } from "./tree.ts";

const COMPOSE = "compose.yaml";

/**
 * Whether a rendered compose.yaml is the stack that the manifests promise. For templates that are not the
 * built-in ones, which the project's tests hold to far more.
 * @throws UserError exit 2 with every problem
 */
export function checkStack(tree: Tree, spec: Spec, catalogue: Catalogue): void {
  const doc = parseForeignYaml(tree.get(COMPOSE)?.content ?? "");
  const problems =
    doc === undefined
      ? [{ file: COMPOSE, message: "would not be valid YAML: look at the indentation in the compose.yaml.hbs files" }]
      : stackProblems(mapping(doc), spec, catalogue);
  if (problems.length > 0) {
    throw problemsError("the templates give a stack that cannot start", problems, "see docs/writing-a-service.md");
  }
}

function stackProblems(doc: Record<string, unknown>, spec: Spec, catalogue: Catalogue): Problem[] {
  const services = mapping(doc["services"]);
  const volumes = mapping(doc["volumes"]);
  const containers = Object.keys(spec.services).flatMap((id) => requireService(catalogue, id).containers);
  const wanted = new Set(containers.map((container) => container.name));
  const problem = (key: string, message: string): Problem => ({ file: COMPOSE, key, message });
  return [
    ...[...wanted]
      .filter((name) => !(name in services))
      .map((name) => problem(`services.${name}`, "is in a manifest, but no template makes it")),
    ...Object.entries(services).flatMap(([name, service]) => [
      ...(wanted.has(name) ? [] : [problem(`services.${name}`, "is made by a template, but no manifest has it")]),
      ...namedVolumes(mapping(service)["volumes"])
        .filter((volume) => !(volume in volumes))
        .map((volume) => problem(`services.${name}.volumes`, `"${volume}" is not among the volumes of a manifest`)),
    ]),
  ];
}

/** The sources of short-syntax mounts that are names, not paths. */
function namedVolumes(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    const source = typeof entry === "string" ? (entry.split(":")[0] ?? "") : "";
    return /^[a-z][a-z0-9_-]*$/.test(source) ? [source] : [];
  });
}
