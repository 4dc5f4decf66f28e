import { existsSync, readFileSync, lstatSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";

import type { Catalogue } from "./catalogue/catalogue.ts";
import { requireService } from "./catalogue/catalogue.ts";
import { EXIT, UserError, usageError } from "./errors.ts";
import { planNew, type Plan } from "./plan/plan.ts";
import { allocate, type Allocation, type PortRequest } from "./ports/allocate.ts";
import { isListening } from "./probe/listening.ts";
import { checkRoot, readRoot, SPEC_FILE, type Root } from "./probe/root.ts";
import type { Precompiled } from "./render/engine.ts";
import { envSections, secretsOf } from "./render/env.ts";
import { render } from "./render/render.ts";
import { memoryReport } from "./report/preview.ts";
import { normalise } from "./spec/normalise.ts";
import type { Request, Spec } from "./spec/schema.ts";

/** Where the road leads: the root, and what directories are made from. */
export interface Place {
  /** Absolute path of the root. */
  root: string;
  /** The root as the user named it. */
  shown: string;
  catalogue: Catalogue;
  precompiled: Precompiled;
}

/** Everything that is known before something is written. */
export interface Prepared {
  spec: Spec;
  plan: Plan;
  notes: readonly string[];
  /** Secret values, to keep them out of what is printed. */
  secrets: readonly string[];
  specs: readonly Spec[];
}

/**
 * The whole road for a new framework, without a write:
 * draft -> spec -> ports -> render -> plan.
 * @throws UserError for everything that is wrong with the draft or the place
 */
export async function prepareNew(request: Request, place: Place): Promise<Prepared> {
  const normalised = normalise(request, place.catalogue);
  const root = await readRoot(place.root, place.shown, place.catalogue);
  refuseTaken(normalised.spec.name, root, place.shown);
  const external = externalHost(normalised.spec, request, root, place.catalogue);
  const allocation = await givePorts(external.spec, normalised.typed, root, place.catalogue);
  const spec = withPorts(external.spec, allocation.ports);

  const { fillSecrets } = await import("./secrets.ts");
  const secrets = fillSecrets(secretsOf(envSections(spec, place.catalogue)), new Map());
  const tree = await render(spec, place.catalogue, secrets, place.precompiled);
  const memory = memoryReport(spec, place.catalogue, totalmem());
  return {
    spec,
    plan: planNew(spec.name, tree),
    notes: [
      ...normalised.notes,
      ...external.notes,
      ...root.warnings.map((warning) => `warning: ${warning}`),
      ...allocation.notes,
      ...(memory.warning === undefined ? [] : [memory.warning]),
    ],
    secrets: [...secrets.values()],
    specs: [...root.frameworks.map((framework) => framework.spec), spec],
  };
}

export interface CreateEvents {
  onWait: () => void;
  /** Called when nothing can be undone by a signal any more. */
  onCommit: () => void;
}

/** Makes a framework: everything is checked again under the root's lock, then written. */
export async function createFramework(request: Request, place: Place, events: CreateEvents): Promise<Prepared> {
  // Most mistakes are refused here, before anything is touched; the rest under the lock, which
  // takes away again what had to be made for it.
  normalise(request, place.catalogue);
  checkRoot(place.root, place.shown);
  const { withRootLock } = await import("./apply/lock.ts");
  const { createDirectory, writeDerived } = await import("./apply/create.ts");
  const { portAllocation, PORT_TABLE_FILE } = await import("./report/port-allocation.ts");
  return withRootLock(place.root, place.shown, events.onWait, async () => {
    await recoverAll(place);
    const prepared = await prepareNew(request, place);
    events.onCommit();
    createDirectory(place.root, prepared.plan);
    writeDerived(place.root, PORT_TABLE_FILE, portAllocation(prepared.specs, place.catalogue));
    return prepared;
  });
}

/** Finishes or undoes what killed commands left behind. The root is locked by the caller. */
export async function recoverAll(place: Place): Promise<void> {
  const { recover, removeStaging } = await import("./apply/transaction.ts");
  const { readdirSync } = await import("node:fs");
  removeStaging(place.root);
  for (const entry of readdirSync(place.root, { withFileTypes: true })) {
    if (entry.isDirectory() && existsSync(join(place.root, entry.name, SPEC_FILE)))
      recover(join(place.root, entry.name));
  }
}

/** The services that publish a port, with their ranges. */
export function portRequests(spec: Spec, typed: ReadonlyMap<string, number>, catalogue: Catalogue): PortRequest[] {
  return Object.keys(spec.services).flatMap((id): PortRequest[] => {
    const published = requireService(catalogue, id).port;
    if (published === undefined) return [];
    return [
      { service: id, protocol: published.protocol, base: published.base, last: published.last, typed: typed.get(id) },
    ];
  });
}

export async function givePorts(
  spec: Spec,
  typed: ReadonlyMap<string, number>,
  root: Root,
  catalogue: Catalogue,
): Promise<Allocation> {
  return allocate({
    requests: portRequests(spec, typed, catalogue),
    slot: catalogue.presets.get(spec.preset)?.slot,
    claims: root.claims,
    listening: isListening,
  });
}

export function withPorts(spec: Spec, ports: ReadonlyMap<string, number>): Spec {
  return {
    ...spec,
    services: Object.fromEntries(
      Object.entries(spec.services).map(([id, service]) => {
        const port = ports.get(id);
        return [id, port === undefined ? service : { port, requested: service.requested }];
      }),
    ),
  };
}

/** @throws UserError exit 2 when the name is in use, by a framework or by something that is not ours */
export function refuseTaken(name: string, root: Root, shown: string): void {
  const target = join(root.dir, name);
  if (root.frameworks.some((framework) => framework.dir === target || framework.name === name)) {
    throw new UserError(`${shown}/${name} exists already`, {
      code: "exists",
      exit: EXIT.usage,
      hint: "choose another name; to change an existing framework, edit its framework.yaml",
    });
  }
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
    throw new UserError(`${shown}/${name} exists and is not a framework made by this program; it is left alone`, {
      code: "exists",
      exit: EXIT.usage,
      hint: "choose another name, or move it away",
    });
  }
}

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
function externalHost(spec: Spec, request: Request, root: Root, catalogue: Catalogue): { spec: Spec; notes: string[] } {
  if (spec.langfuse.mode !== "external" || request.draft.langfuse?.host !== undefined) return { spec, notes: [] };
  const siblings = siblingHosts(root, catalogue);
  const [only] = siblings;
  if (only !== undefined && siblings.length === 1) {
    return {
      spec: { ...spec, langfuse: { mode: "external", host: only.url } },
      notes: [`Langfuse: the one of ${only.name} is used, ${only.url}`],
    };
  }
  return {
    spec,
    notes: [
      "warning: no URL is known for the external Langfuse: set LANGFUSE_HOST in .env, or langfuse.host in framework.yaml",
    ],
  };
}

/** Reads the text of a file that the user named. @throws UserError exit 2 */
export function readInput(path: string, shown: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw usageError(
      `${shown} cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : "unknown reason"}`,
      "give --answers a YAML or JSON file, or - for standard input",
    );
  }
}
