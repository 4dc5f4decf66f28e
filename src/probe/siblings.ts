import type { Catalogue } from "../catalogue/catalogue.ts";
import { EXTERNAL_CAPABLE } from "../spec/normalise.ts";
import type { Spec } from "../spec/schema.ts";
import type { Root } from "./root.ts";

/** Frameworks of the root whose own observability service others can use, with its URL. */
export function siblingHosts(root: Root, catalogue: Catalogue): { name: string; url: string }[] {
  return root.frameworks.flatMap((framework) =>
    Object.entries(framework.spec.services).flatMap(([id, service]) => {
      const manifest = catalogue.services.get(id);
      if (manifest?.external === undefined || manifest.port === undefined || service.port === undefined) return [];
      const published = framework.env.get(manifest.port.variable) ?? String(service.port);
      return [{ name: framework.name, url: manifest.port.url.replaceAll("{{port}}", published) }];
    }),
  );
}

/** `external` without a URL means the only sibling that has one; with none or several, `.env` asks for it. */
export function externalHost(spec: Spec, root: Root, catalogue: Catalogue): { spec: Spec; notes: string[] } {
  if (spec.langfuse.mode !== "external" || spec.langfuse.host !== undefined) return { spec, notes: [] };
  const title = catalogue.services.get(EXTERNAL_CAPABLE)?.title ?? EXTERNAL_CAPABLE;
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
      `warning: no URL is known for the external ${title}: set LANGFUSE_HOST in .env, or langfuse.host in framework.yaml`,
    ],
  };
}
