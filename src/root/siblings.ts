import { externalServices, requireService, type Catalogue } from "../catalogue/catalogue.ts";
import type { Manifest } from "../catalogue/manifest.ts";
import { hostUrlProblem, isExternal, type Spec } from "../spec/schema.ts";
import { overriddenPort } from "./claims.ts";
import type { Framework } from "./framework.ts";
import type { Root } from "./root.ts";

/** A framework whose own service others can use. */
export interface Sibling {
  name: string;
  url: string;
}

/** Frameworks of the root that run a service which others can use, with its URL. @param id of the service */
export function siblingHosts(root: Root, id: string, catalogue: Catalogue): Sibling[] {
  const manifest = requireService(catalogue, id);
  return root.frameworks.flatMap((framework) => {
    const url = id in framework.spec.services ? urlOf(framework, manifest) : undefined;
    return url === undefined ? [] : [{ name: framework.name, url }];
  });
}

/** The URL in its `.env`, or one made from its port. A sibling's `.env` is as untrusted as any file. */
function urlOf(framework: Framework, manifest: Manifest): string | undefined {
  const [variable] = urlVariables(manifest);
  const written = variable === undefined ? undefined : framework.env.get(variable);
  if (written !== undefined && hostUrlProblem(written) === undefined) return written;
  const port = overriddenPort(framework, manifest) ?? framework.spec.services[manifest.id]?.port;
  return port === undefined ? undefined : manifest.port?.url.replaceAll("{{port}}", String(port));
}

/** The variables that hold the URL of the one that runs elsewhere: the one that is made from it, and its other names. */
function urlVariables({ external }: Manifest): string[] {
  const entries = external?.env ?? [];
  const first = entries.find(({ value }) => value?.includes("{{externalHost}}") === true);
  if (first === undefined) return [];
  return [first, ...entries.filter(({ value }) => value === `\${${first.name}}`)].map(({ name }) => name);
}

/**
 * `external` without a URL means the only sibling that has one; with none or several, `.env` asks for it.
 * @returns the spec with those URLs, and notes for the person
 */
export function withExternalHosts(given: Spec, root: Root, catalogue: Catalogue): { spec: Spec; notes: string[] } {
  const notes: string[] = [];
  let spec = given;
  for (const manifest of externalServices(catalogue)) {
    const { id, title } = manifest;
    if (!isExternal(spec, id) || spec.external[id]?.host !== undefined) continue;
    const siblings = siblingHosts(root, id, catalogue);
    const [only] = siblings;
    if (only !== undefined && siblings.length === 1) {
      spec = { ...spec, external: { ...spec.external, [id]: { mode: "external", host: only.url } } };
      notes.push(`${title}: the one of ${only.name} is used, ${only.url}`);
    } else {
      const variables = urlVariables(manifest);
      const where = variables.length === 0 ? "its URL" : variables.join(" and ");
      notes.push(
        `warning: no URL is known for the external ${title}: set ${where} in .env, or ${id}.host in framework.yaml`,
      );
    }
  }
  return { spec, notes };
}
