import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Manifest } from "../catalogue/manifest.ts";
import { engineFacts } from "../host/engine-facts.ts";
import { hostFacts } from "../host/facts.ts";
import { isListening } from "../host/listening.ts";
import { totalMemory } from "../render/memory.ts";
import type { Root } from "../root/root.ts";
import type { EngineFacts, HostFacts, Needs, NoEngine } from "../rules/host-facts.ts";
import { checkHost, type CheckResult } from "../rules/host.ts";
import { imageFor } from "../spec/images.ts";
import type { Spec } from "../spec/schema.ts";
import type { Place } from "./place.ts";
import { openSession } from "./session.ts";

/** Whether this host is fit for the frameworks of the root. */
export interface DoctorRequest {
  place: Place;
  /** Variables of the process. */
  env: NodeJS.ProcessEnv;
}

export interface DoctorResult {
  checks: readonly CheckResult[];
  facts: HostFacts;
  engine: EngineFacts | NoEngine;
  frameworks: number;
  notes: readonly string[];
}

/** Looks at this host and its engine. Writes nothing. */
export async function doctor({ place, env }: DoctorRequest): Promise<DoctorResult> {
  const { root } = await openSession(place, { dry: true });
  const needs = await needsOf(root, place.catalogue);
  const facts = hostFacts(place.root, [...new Set(needs.kernel.map(({ name }) => name))], env);
  const engine = await engineFacts();
  return {
    checks: checkHost({ facts, engine, needs, root: place.root }),
    facts,
    engine,
    frameworks: needs.frameworks,
    notes: root.broken.map(({ folder }) => `warning: ${folder} cannot be read, so what it needs is not known`),
  };
}

async function needsOf(root: Root, catalogue: Catalogue): Promise<Needs> {
  const specs = root.frameworks.map(({ spec }) => spec);
  const services = [
    ...new Set(specs.flatMap((spec) => Object.keys(spec.services).flatMap((id) => catalogue.services.get(id) ?? []))),
  ];
  const hosts = services.flatMap(({ id, host }) => (host === undefined ? [] : [{ service: id, ...host }]));
  const nofile = services.flatMap(({ containers }) => containers.map((container) => container.nofile ?? 0));
  return {
    frameworks: specs.length,
    memory: specs.reduce((sum, spec) => sum + totalMemory(spec, catalogue), 0),
    cpu: hosts.flatMap(({ service, cpu }) => Object.entries(cpu).map(([arch, flags]) => ({ service, arch, flags }))),
    blockStorage: hosts.filter(({ blockStorage }) => blockStorage).map(({ service }) => service),
    kernel: hosts.flatMap(({ service, kernel }) =>
      Object.entries(kernel).map(([name, least]) => ({ service, name, least })),
    ),
    openFiles: Math.max(0, ...nofile),
    images: [...new Set(root.frameworks.flatMap(({ spec, env }) => imagesOf(spec, env, catalogue)))].toSorted(),
    listening: await listeningOf(root),
  };
}

/** The images that a framework runs: what `.env` says, or else the spec. */
function imagesOf(spec: Spec, env: ReadonlyMap<string, string>, catalogue: Catalogue): string[] {
  return Object.keys(spec.services)
    .flatMap((id): Manifest["containers"] => catalogue.services.get(id)?.containers ?? [])
    .flatMap((container) => {
      if (container.image === undefined) return [];
      const own = env.get(`${container.variable}_IMAGE`) ?? "";
      return [own === "" ? imageFor(container, spec) : own];
    });
}

async function listeningOf(root: Root): Promise<string[]> {
  const claims = (await root.claims()).all.filter(({ shadowed, framework }) => !shadowed && framework !== "");
  const found = new Set<string>();
  for (const { protocol, port } of claims)
    if (!found.has(`${protocol}/${String(port)}`) && (await isListening(protocol, port)))
      found.add(`${protocol}/${String(port)}`);
  return [...found];
}
