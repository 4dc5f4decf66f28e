import { externalServices, fallbackPreset, requireService, type Catalogue } from "../catalogue/catalogue.ts";
import type { Container } from "../catalogue/manifest.ts";
import { once } from "../lib/once.ts";
import { underscored } from "../catalogue/names.ts";
import { anHourLater } from "../spec/backup-time.ts";
import { imageFor } from "../spec/images.ts";
import type { Spec } from "../spec/schema.ts";
import { bytesOf, formatMebibytes, totalMemory } from "./memory.ts";
import {
  envSections,
  secretsOf,
  limitVariables,
  NOFILE_SUFFIX,
  type Section,
  type Variable,
} from "../env/variables.ts";

/** A container as compose fragments see it. */
interface ContainerView {
  name: string;
  containerName: string;
  image: string;
  reference: string;
  memory: string;
  cpus: string;
  pids: string;
  /** Open files as Compose text, or "" where the engine's default does. */
  nofile: string;
}

interface VolumeView {
  name: string;
  holds: string;
  /** How a backup saves it: `service`, `files` or `none`. */
  saved: string;
  /** Why a backup leaves it out, or "". */
  notSaved: string;
}

interface ServiceView {
  id: string;
  title: string;
  summary: string;
  requested: boolean;
  /** Whether it has an internal network of its own. */
  ownNetwork: boolean;
  published: boolean;
  port: number | "";
  containerPort: number | "";
  protocol: string;
  portVariable: string;
  url: string;
  volumes: VolumeView[];
  /** Ids of the services that it stores its data in. */
  requires: string[];
  /** Names of its containers that keep running. */
  containers: string[];
  backup: string[];
  /** In which form it logs, or "". Not `log`, which is a helper of Handlebars. */
  logForm: string;
}

interface ExternalView {
  id: string;
  title: string;
  mode: string;
  /** URL of the one that is used from outside, or "". */
  host: string;
}

interface SectionView extends Section {
  /** Those that people may want to set: neither secrets nor defaults. */
  settable: Variable[];
}

/** What every template can use. Handlebars runs strict, so a name that is not here is an error. */
export interface Context {
  name: string;
  prefix: string;
  spec: Spec;
  latest: boolean;
  /** The registry mirror, or "". */
  registry: string;
  /** Waivers of the spec; what is left out is empty. */
  waivers: readonly { rule: string; service: string; reason: string; expires: string }[];
  /** Recorded digests by container name. */
  digests: { container: string; reference: string }[];
  preset: { title: string; package: string; module: string; docs: string; example: string };
  services: ServiceView[];
  /** By id, for `{{#if has.postgres}}`; every id of the catalogue is there. */
  has: Record<string, boolean>;
  /** By container name. */
  container: Record<string, ContainerView>;
  /** By service id: the published port binding as Compose text, or "". */
  binding: Record<string, string>;
  /** `rotated`: how many files are kept beside the one that is written; `maxBytes`: the size of each. */
  logging: Spec["logging"] & { maxBytes: number; rotated: number };
  backup: Spec["backup"];
  /** Of restic, or "". */
  repository: string;
  /** When backups and drills run, in UTC as HH:MM. */
  schedule: { backup: string; drill: string };
  /** Whether sets lie in a directory of this one with another name than `backups`. */
  ownBackups: boolean;
  sections: SectionView[];
  secrets: Variable[];
  /** Names of the secrets without which restored data cannot be used. */
  permanent: string[];
  /** Every service that can be used from outside the stack. */
  externals: ExternalView[];
  memoryTotal: string;
  /** A service to show commands with. */
  exampleService: string;
}

export function buildContext(spec: Spec, catalogue: Catalogue): Context {
  const preset = catalogue.presets.get(spec.preset) ?? fallbackPreset(catalogue);
  const manifests = Object.keys(spec.services)
    .toSorted()
    .map((id) => requireService(catalogue, id));
  const containers = manifests.flatMap((manifest) => manifest.containers);
  const sections = envSections(spec, catalogue);
  return {
    name: spec.name,
    prefix: underscored(spec.name),
    spec,
    latest: spec.images === "latest",
    registry: spec.registry ?? "",
    waivers: spec.waivers.map(({ rule, service, reason, expires }) => ({
      rule,
      service: service ?? "",
      reason,
      expires: expires ?? "",
    })),
    digests: Object.entries(spec.digests ?? {}).map(([container, reference]) => ({ container, reference })),
    preset: {
      // The preset for every other name has no name of its own to show.
      title: preset.fallback ? spec.name : preset.title,
      package: preset.python?.package ?? "",
      module: preset.python?.module ?? "",
      docs: preset.python?.docs ?? "",
      example: preset.example ?? "",
    },
    services: manifests.map((manifest): ServiceView => {
      const port = spec.services[manifest.id]?.port;
      const published = manifest.port !== undefined && port !== undefined;
      return {
        id: manifest.id,
        title: manifest.title,
        summary: manifest.summary,
        requested: spec.services[manifest.id]?.requested ?? false,
        ownNetwork: manifest.ownNetwork,
        published,
        port: published ? port : "",
        containerPort: published ? (manifest.port?.container ?? "") : "",
        protocol: manifest.port?.protocol ?? "",
        portVariable: manifest.port?.variable ?? "",
        url: published ? (manifest.port?.url.replaceAll("{{port}}", String(port)) ?? "") : "",
        volumes: manifest.volumes.map(({ name, holds, saved, notSaved }) => ({
          name,
          holds,
          saved: saved ?? "none",
          notSaved: notSaved ?? "",
        })),
        requires: manifest.requires,
        containers: manifest.containers.filter(({ oneShot }) => !oneShot).map((container) => container.name),
        backup: manifest.backup,
        logForm: manifest.log ?? "",
      };
    }),
    has: Object.fromEntries([...catalogue.services.keys()].map((id) => [id, id in spec.services])),
    container: Object.fromEntries(
      containers.map((container) => [container.name, containerView(container, containers, spec)]),
    ),
    binding: Object.fromEntries(
      manifests.flatMap((manifest) => {
        if (manifest.port === undefined) return [];
        const suffix = manifest.port.protocol === "udp" ? "/udp" : "";
        return [
          [
            manifest.id,
            `"\${BIND_ADDRESS:-127.0.0.1}:\${${manifest.port.variable}:?set it in .env}:${String(manifest.port.container)}${suffix}"`,
          ],
        ];
      }),
    ),
    // With no file to rotate to, Python's logging would not rotate at all.
    logging: {
      ...spec.logging,
      maxBytes: bytesOf(spec.logging.maxSize),
      rotated: Math.max(1, spec.logging.maxFile - 1),
    },
    backup: spec.backup,
    repository: spec.backup.repository ?? "",
    schedule: { backup: spec.backup.at, drill: anHourLater(spec.backup.at) },
    ownBackups: spec.backup.directory !== "backups" && !spec.backup.directory.startsWith("/"),
    sections: sections.map((section) => ({
      ...section,
      settable: section.variables.filter((variable) => variable.class !== "default" && !variable.secret),
    })),
    secrets: secretsOf(sections),
    permanent: secretsOf(sections)
      .filter((variable) => variable.permanent)
      .map(({ name }) => name),
    externals: externalServices(catalogue).map(({ id, title }) => ({
      id,
      title,
      mode: spec.external[id]?.mode ?? "dedicated",
      host: spec.external[id]?.host ?? "",
    })),
    memoryTotal: formatMebibytes(totalMemory(spec, catalogue)),
    exampleService:
      (
        manifests.find(
          (manifest) => manifest.requires.length === 0 && spec.services[manifest.id]?.requested === true,
        ) ?? manifests[0]
      )?.id ?? "SERVICE",
  };
}

function containerView(container: Container, all: readonly Container[], spec: Spec): ContainerView {
  const owner = container.image === undefined ? all.find((other) => other.name === container.imageOf) : container;
  if (owner?.image === undefined) throw new Error(`container ${container.name} has no image in this stack`);
  const known = once(containerViews, container, () => new Map<string, ContainerView>());
  const reference = imageFor(owner, spec);
  return once(known, `${spec.profile} ${reference}`, () =>
    makeContainerView(container, owner.variable, reference, spec),
  );
}

// They are the same in every framework of one profile.
const containerViews = new WeakMap<Container, Map<string, ContainerView>>();

function makeContainerView(container: Container, imageVariable: string, reference: string, spec: Spec): ContainerView {
  const limit = new Map(
    limitVariables(container.limits[spec.profile]).map(({ suffix, value }) => [
      suffix,
      `\${${container.variable}_${suffix}:-${value}}`,
    ]),
  );
  return {
    name: container.name,
    containerName: `\${FRAMEWORK_NAME}_${underscored(container.name)}`,
    // One level of variables: Renovate and Dependabot read the default, and pass over `${A:-${B}…}`.
    image: `\${${imageVariable}_IMAGE:-${reference}}`,
    reference,
    memory: limit.get("MEMORY_LIMIT") ?? "",
    cpus: limit.get("CPU_LIMIT") ?? "",
    pids: limit.get("PIDS_LIMIT") ?? "",
    nofile:
      container.nofile === undefined ? "" : `\${${container.variable}_${NOFILE_SUFFIX}:-${String(container.nofile)}}`,
  };
}
