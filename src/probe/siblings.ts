import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Manifest } from "../catalogue/manifest.ts";
import { EXTERNAL_CAPABLE } from "../spec/normalise.ts";
import { hostUrlProblem, type Spec } from "../spec/schema.ts";
import { overriddenPort } from "./claims.ts";
import type { Framework } from "./framework.ts";
import type { Root } from "./root.ts";

/** Frameworks of the root whose own observability service others can use, with its URL. */
export function siblingHosts(root: Root, catalogue: Catalogue): { name: string; url: string }[] {
  return root.frameworks.flatMap((framework) =>
    Object.keys(framework.spec.services).flatMap((id) => {
      const manifest = catalogue.services.get(id);
      const url = manifest?.external === undefined ? undefined : urlOf(framework, manifest);
      return url === undefined ? [] : [{ name: framework.name, url }];
    }),
  );
}

/** What its `.env` says, where that is a URL; else made from its port. A sibling's `.env` is as untrusted as any file. */
function urlOf(framework: Framework, manifest: Manifest): string | undefined {
  const variable = urlVariable(manifest);
  const written = variable === undefined ? undefined : framework.env.get(variable);
  if (written !== undefined && hostUrlProblem(written) === undefined) return written;
  const port = overriddenPort(framework, manifest) ?? framework.spec.services[manifest.id]?.port;
  return port === undefined ? undefined : manifest.port?.url.replaceAll("{{port}}", String(port));
}

/** The variable that holds the URL of the one that runs elsewhere. */
function urlVariable(manifest: Manifest | undefined): string | undefined {
  return manifest?.external?.env.find((entry) => entry.value?.includes("{{externalHost}}") === true)?.name;
}

/** `external` without a URL means the only sibling that has one; with none or several, `.env` asks for it. */
export function externalHost(spec: Spec, root: Root, catalogue: Catalogue): { spec: Spec; notes: string[] } {
  if (spec.langfuse.mode !== "external" || spec.langfuse.host !== undefined) return { spec, notes: [] };
  const manifest = catalogue.services.get(EXTERNAL_CAPABLE);
  const title = manifest?.title ?? EXTERNAL_CAPABLE;
  const siblings = siblingHosts(root, catalogue);
  const [only] = siblings;
  if (only !== undefined && siblings.length === 1) {
    return {
      spec: { ...spec, langfuse: { mode: "external", host: only.url } },
      notes: [`${title}: the one of ${only.name} is used, ${only.url}`],
    };
  }
  return {
    spec,
    notes: [
      `warning: no URL is known for the external ${title}: set ${urlVariable(manifest) ?? "its URL"} in .env, or langfuse.host in framework.yaml`,
    ],
  };
}
