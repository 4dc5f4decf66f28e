import { requireService, type Catalogue } from "../catalogue/catalogue.ts";
import { problemsError, type Problem } from "../lib/errors.ts";
import type { Spec } from "../spec/schema.ts";
import { COMPOSE } from "../compose/file.ts";
import type { Compose } from "../compose/model.ts";
import { parseCompose } from "../compose/parse.ts";
import type { Tree } from "./tree.ts";

/**
 * Whether a rendered compose.yaml is the stack that the manifests promise. For templates that are not the
 * built-in ones, which the project's tests hold to far more.
 * @throws UserError exit 2 with every problem
 */
export function checkStack(tree: Tree, spec: Spec, catalogue: Catalogue): void {
  const compose = parseCompose(tree.get(COMPOSE)?.content ?? "");
  const problems =
    compose === undefined
      ? [{ file: COMPOSE, message: "would not be valid YAML: look at the indentation in the compose.yaml.hbs files" }]
      : stackProblems(compose, spec, catalogue);
  if (problems.length > 0) {
    throw problemsError("the templates give a stack that cannot start", problems, "see docs/writing-a-service.md");
  }
}

function stackProblems({ services, volumes }: Compose, spec: Spec, catalogue: Catalogue): Problem[] {
  const containers = Object.keys(spec.services).flatMap((id) => requireService(catalogue, id).containers);
  const wanted = new Set(containers.map((container) => container.name));
  const problem = (key: string, message: string): Problem => ({ file: COMPOSE, key, message });
  return [
    ...[...wanted]
      .filter((name) => !services.has(name))
      .map((name) => problem(`services.${name}`, "is in a manifest, but no template defines it")),
    ...[...services.values()].flatMap(({ name, mounts }) => [
      ...(wanted.has(name) ? [] : [problem(`services.${name}`, "is made by a template, but no manifest has it")]),
      ...mounts
        .filter(({ type, source }) => type === "volume" && source !== "" && !volumes.has(source))
        .map(({ source }) => problem(`services.${name}.volumes`, `"${source}" is not among the volumes of a manifest`)),
    ]),
  ];
}
