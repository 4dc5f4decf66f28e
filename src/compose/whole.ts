import { mapping } from "../lib/mapping.ts";
import { composeModel, type Compose, type Service } from "./model.ts";

/**
 * What a merge would break in a Compose file that was whole before: a service, network, volume, config or secret
 * that somebody refers to and nobody defines, or two settings that Compose refuses together. Each side
 * was right on its own, so only the result can tell.
 * @param before the parsed file as it was
 * @returns what is wrong in `after` and was not in `before`, for people
 */
export function brokenBy(before: unknown, after: unknown): string[] {
  const known = new Set(problems(before));
  return problems(after).filter((problem) => !known.has(problem));
}

function problems(doc: unknown): string[] {
  const compose = composeModel(doc);
  if (compose === undefined) return ["the file is not a Compose file"];
  return problemsIn(compose).map(({ service, message }) =>
    service === undefined ? message : `services.${service} ${message}`,
  );
}

/** Something that Compose would refuse. */
export interface ComposeProblem {
  /** The service that it is about, where it is about one. */
  service: string | undefined;
  /** For people, to be read after the name of the service. */
  message: string;
}

/** What Compose would refuse in a file. */
export function problemsIn(compose: Compose): ComposeProblem[] {
  // What another file brings in cannot be seen here.
  if (compose.includes) return [];
  const services = [...compose.services.values()];
  const looped = cycles(services);
  return [
    ...services.flatMap((service) =>
      [...shapeProblems(service), ...serviceProblems(service, compose)].map((message) => ({
        service: service.name,
        message,
      })),
    ),
    ...looped.map((service) => ({ service, message: "needs itself" })),
    ...[
      ...twice(services.flatMap(({ containerName }) => containerName ?? [])).map(
        (name) => `two services have the container name ${name}`,
      ),
      ...[...compose.volumes]
        .filter(
          ([, volume]) =>
            volume["external"] === true && Object.keys(volume).some((key) => key !== "external" && key !== "name"),
        )
        .map(([name]) => `the external volume ${name} has settings of its own`),
    ].map((message) => ({ service: undefined, message })),
  ];
}

function serviceProblems(service: Service, compose: Compose): string[] {
  const { needs, networks, mounts } = service;
  const refers = (kind: string, ids: readonly string[], defined: { has: (id: string) => boolean }): string[] =>
    ids.filter((id) => !defined.has(id)).map((id) => `refers to ${kind} ${id}, which is not defined`);
  const volumes = mounts.filter(({ type, source }) => type === "volume" && source !== "").map(({ source }) => source);
  const targets = mounts.map(({ target }) => target.replaceAll(/\$\{[^}]*\}/g, "variable"));
  return [
    ...refers("service", needs, compose.services),
    ...refers(
      "network",
      networks.filter((id) => id !== "default"),
      compose.networks,
    ),
    ...refers("volume", volumes, compose.volumes),
    ...refers("config", service.configs, compose.configs),
    ...refers("secret", service.secrets, compose.secrets),
    ...needs
      .filter((id) => isSwitchedOff(compose.services.get(id), service))
      .map((id) => `needs ${id}, which only runs with a profile`),
    ...twice(targets).map((target) => `mounts two things at ${target}`),
    ...exclusive(service),
    ...(service.runsSomething ? [] : ["has neither image nor build"]),
  ];
}

const LISTS = ["ports", "volumes", "cap_add", "cap_drop", "security_opt", "devices", "expose", "configs", "secrets"];
const FLAGS = ["privileged", "read_only"];

/** Settings of another kind than Compose takes: they would be read as nothing here. */
function shapeProblems({ settings }: Service): string[] {
  const given = (key: string): boolean => settings[key] !== undefined && settings[key] !== null;
  return [
    ...LISTS.filter((key) => given(key) && !Array.isArray(settings[key])).map((key) => `has ${key} that is not a list`),
    ...FLAGS.filter((key) => given(key) && !["boolean", "string"].includes(typeof settings[key])).map(
      (key) => `has ${key} that is not true or false`,
    ),
  ];
}

/** Whether a service is left out by its profiles where another one that needs it is not. */
function isSwitchedOff(needed: Service | undefined, by: Service): boolean {
  const profiles = needed?.profiles ?? [];
  return (
    profiles.length > 0 && (by.profiles.length === 0 || by.profiles.some((profile) => !profiles.includes(profile)))
  );
}

/** Names of the services that need each other in a circle. */
function cycles(services: readonly Service[]): string[] {
  const needs = new Map(services.map((service) => [service.name, service.needs]));
  // By hand, not by recursion: a chain may be longer than the stack is deep.
  const reaches = (from: string, to: string): boolean => {
    const seen = new Set<string>();
    const open = [from];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const name of needs.get(next) ?? []) {
        if (name === to) return true;
        if (!seen.has(name)) open.push(name);
        seen.add(name);
      }
    }
    return false;
  };
  return [...needs.keys()].filter((name) => reaches(name, name));
}

function twice(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

/** Settings that Compose refuses together (compose-go, `loader/validate.go` and `types/project.go`). */
function exclusive({ settings }: Service): string[] {
  const deploy = mapping(settings["deploy"]);
  const { limits, reservations } = mapping(deploy["resources"]);
  // Where the block is there, what it does not name counts as none; equal values are accepted.
  const differ = (key: string, block: unknown, inside: string): string[] =>
    settings[key] === undefined || block === undefined || isAlike(settings[key], mapping(block)[inside])
      ? []
      : [`has both ${key} and deploy.resources, which cannot be used together`];
  const several = [settings["scale"], deploy["replicas"]].some((count) => typeof count === "number" && count > 1);
  return [
    ...("network_mode" in settings && "networks" in settings
      ? ["has both network_mode and networks, which cannot be used together"]
      : []),
    ...(several && "container_name" in settings
      ? ["has both a container name and several replicas, which cannot be used together"]
      : []),
    ...differ("mem_limit", limits, "memory"),
    ...differ("cpus", limits, "cpus"),
    ...differ("pids_limit", limits, "pids"),
    ...differ("mem_reservation", reservations, "memory"),
  ];
}

/** Whether two settings are written alike: `1` and `"1"` are. */
function isAlike(a: unknown, b: unknown): boolean {
  return JSON.stringify(a).replaceAll('"', "") === (JSON.stringify(b) ?? "").replaceAll('"', "");
}
