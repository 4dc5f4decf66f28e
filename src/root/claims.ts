import { dirname, join } from "node:path";

import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Manifest } from "../catalogue/manifest.ts";
import { UserError } from "../lib/errors.ts";
import { basePath } from "../plan/state.ts";
import type { Claim } from "../ports/claim.ts";
import { composeModel, publishedPorts, referencedIn, type PublishedPorts } from "../compose/model.ts";
import { MAX_RANGE } from "../compose/ports.ts";
import { scanPorts } from "../compose/scan.ts";
import { dotenvValues } from "../env/dotenv.ts";
import { interpolate } from "../env/interpolate.ts";
import { textOf } from "../host/files.ts";
import { composeFilesIn, referencedFile, type Search } from "./compose-files.ts";
import { SPEC_FILE, type Framework } from "./framework.ts";

/**
 * What a framework's spec gives, and what its `.env` makes of it: both count. A service that the
 * catalogue does not know (any more) keeps its port as well.
 */
export function specClaims(framework: Framework, { shown, catalogue, warnings }: Search): Claim[] {
  const folder = `${shown}/${framework.folder}`;
  return Object.entries(framework.spec.services).flatMap(([id, service]): Claim[] => {
    const manifest = catalogue.services.get(id);
    if (manifest === undefined) {
      warnings.push(
        `${folder}/${SPEC_FILE}: services.${id} is not in the catalogue, so nothing is known of it but its port`,
      );
    }
    if (service.port === undefined || (manifest !== undefined && manifest.port === undefined)) return [];
    const base = {
      protocol: manifest?.port?.protocol ?? "tcp",
      address: bindAddress(framework),
      framework: framework.folder,
      place: framework.folder,
      service: id,
      variable: manifest?.port?.variable ?? null,
    };
    const written: Claim = {
      ...base,
      port: service.port,
      source: "spec",
      file: `${folder}/${SPEC_FILE}`,
      shadowed: false,
    };
    const override = manifest === undefined ? undefined : overriddenPort(framework, manifest);
    const text = manifest?.port === undefined ? undefined : framework.env.get(manifest.port.variable);
    if (text !== undefined && override === undefined) {
      warnings.push(
        `${folder}/.env: ${manifest?.port?.variable ?? ""} is not a whole number from 1 to 65535: Compose will refuse it. The port in ${SPEC_FILE}, ${String(service.port)}, is taken for it here`,
      );
    }
    if (override === undefined || override === service.port) return [written];
    return [
      { ...base, port: override, source: "env", file: `${folder}/.env`, shadowed: false },
      { ...written, shadowed: true },
    ];
  });
}

/** The port that `.env` gives a service of the catalogue; undefined when it gives none that is a port. */
export function overriddenPort(framework: Framework, manifest: Manifest): number | undefined {
  const text = manifest.port === undefined ? undefined : framework.env.get(manifest.port.variable);
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function bindAddress(framework: Framework): string {
  const address = framework.env.get("BIND_ADDRESS");
  return address === undefined || address === "" ? "127.0.0.1" : address;
}

// Longer than any IPv6 address with its zone; names of hosts are no addresses to Docker.
const MAX_ADDRESS = 100;

/**
 * The claims of every compose file in a folder and below it, and of the files that these include or extend, without
 * those that `specClaims` accounts for.
 * @param folder relative to the root; "" for the root itself, whose folders are not entered
 * @param framework the one whose directory this is
 */
export async function composeClaims(
  search: Search,
  folder: string,
  framework: Framework | undefined,
): Promise<Claim[]> {
  const claims: Claim[] = [];
  const files = [...composeFilesIn(search, folder)];
  const seen = new Set(files);
  // Grows while it is read: a file may include others.
  for (const path of files) {
    const found = await fileClaims(search, path, framework);
    claims.push(...found.claims);
    for (const reference of found.references) {
      const target = referencedFile(search, path, reference);
      if (target === undefined || seen.has(target)) continue;
      seen.add(target);
      files.push(target);
    }
  }
  return claims;
}

interface FileClaims {
  claims: readonly Claim[];
  /** Files that it includes or extends, as it names them. */
  references: readonly string[];
}

async function fileClaims(search: Search, path: string, framework: Framework | undefined): Promise<FileClaims> {
  const folder = path.includes("/") ? dirname(path) : "";
  const text = readOrWarn(search, path);
  if (text === undefined || !/ports|include|extends/.test(text)) return { claims: [], references: [] };
  const published = await publishedIn(search, path, text, folder, framework);
  if (published === undefined) {
    search.warnings.push(`${search.shown}/${path} is not valid YAML, so the ports it publishes are not known`);
    return { claims: [], references: [] };
  }
  for (const service of published.tooMany)
    search.warnings.push(
      `${search.shown}/${path}: services.${service} publishes more than ${String(MAX_RANGE)} ports; they are not counted`,
    );
  // By the variable alone: a service that was renamed in compose.yaml still publishes the spec's port.
  const own = folder === framework?.folder ? ownVariables(framework, search.catalogue) : new Set<string | null>();
  const claims = published.ports
    .filter(({ variable }) => !own.has(variable))
    .filter(({ service, address }) => {
      if (address.length <= MAX_ADDRESS) return true;
      const warning = `${search.shown}/${path}: services.${service} publishes a port on what is no address; it is not counted`;
      if (search.warnings.at(-1) !== warning) search.warnings.push(warning);
      return false;
    })
    .map(({ service, protocol, address, port, variable }) => ({
      protocol,
      port,
      address,
      framework: framework?.folder ?? folder.split("/", 1)[0] ?? "",
      place: folder,
      service,
      variable,
      source: "foreign" as const,
      file: `${search.shown}/${path}`,
      shadowed: false,
    }));
  return { claims, references: published.references };
}

async function publishedIn(
  search: Search,
  path: string,
  text: string,
  folder: string,
  framework: Framework | undefined,
): Promise<(PublishedPorts & Pick<FileClaims, "references">) | undefined> {
  const own =
    folder === framework?.folder ? framework.env : dotenvValues(readOrWarn(search, join(folder, ".env")) ?? "");
  // A clone has no .env yet. Its template says what it will have, also if framework.yaml is broken.
  const template = dotenvValues(own.size > 0 ? "" : (readOrWarn(search, join(folder, ".env.template")) ?? ""));
  const expand = (value: string): string => interpolate(value, (name) => own.get(name) ?? template.get(name));
  // Parsing YAML is most of the cost of a large root; what was generated and never edited is block style
  // of a known form, and read line by line.
  const base =
    framework === undefined
      ? undefined
      : readOrWarn(search, `${framework.folder}/${basePath(path.slice(framework.folder.length + 1))}`);
  const scanned = base === text ? scanPorts(text, expand) : undefined;
  if (scanned !== undefined) return { ports: scanned, tooMany: [], references: [] };
  const { parseComposeYaml } = await import("../compose/parse.ts");
  const doc = parseComposeYaml(text);
  if (doc === undefined) return undefined;
  const compose = composeModel(doc);
  if (compose === undefined) return { ports: [], tooMany: [], references: [] };
  return { ...publishedPorts(compose, expand), references: referencedIn(compose).map(expand) };
}

function readOrWarn(search: Search, path: string): string | undefined {
  try {
    return textOf(join(search.root, path), `${search.shown}/${path}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    search.warnings.push(`${error.message}; the ports it gives are not known`);
    return undefined;
  }
}

/** Variables of the port bindings that `specClaims` already accounts for. */
function ownVariables(framework: Framework, catalogue: Catalogue): Set<string | null> {
  return new Set(
    Object.entries(framework.spec.services).flatMap(([id, service]) => {
      const published = catalogue.services.get(id)?.port;
      return published === undefined || service.port === undefined ? [] : [published.variable];
    }),
  );
}
