import { mapping } from "../lib/mapping.ts";
import type { Compose, Service } from "./model.ts";
import { publishedBy } from "./ports.ts";
import { isPlain } from "./syntax.ts";

/** A service that does not keep a rule. */
export interface Finding {
  rule: string;
  service: string;
  message: string;
}

interface Rule {
  id: string;
  /** Numbers of the CIS Docker Benchmark 1.6, or of the OWASP Docker Security cheat sheet. */
  source: string;
  /** What is wrong with a service whose variables are filled in; undefined when nothing is. */
  check: (service: Service) => string | undefined;
}

const SHARED_NAMESPACES = ["network_mode", "pid", "ipc", "userns_mode", "cgroup"];

/**
 * What every generated service is held to. `images: latest` may relax `non-root`, because of the image.
 * Judged on interpolated files: a variable's default is not known here.
 */
export const HARDENING_RULES: readonly Rule[] = [
  {
    id: "non-root",
    source: "CIS 4.1, OWASP 2",
    check: ({ settings: { user } }) => {
      if (user === undefined) return "runs as the image's user, which may be root";
      return isPlain(user) && /^(?:root|0)(?::|$)/.test(String(user)) ? "runs as root" : undefined;
    },
  },
  {
    id: "no-capabilities",
    source: "CIS 5.4, OWASP 3",
    check: ({ settings }) =>
      strings(settings["cap_drop"]).includes("ALL") ? undefined : "keeps Linux capabilities: cap_drop has no ALL",
  },
  {
    id: "no-privileges",
    source: "CIS 5.5, OWASP 3",
    check: ({ settings }) => {
      const found = ["privileged", "devices"].filter((key) => key in settings && settings[key] !== false);
      return found.length === 0 ? undefined : `has ${found.join(" and ")}`;
    },
  },
  {
    id: "no-new-privileges",
    source: "CIS 5.26, OWASP 4",
    check: ({ settings }) =>
      strings(settings["security_opt"]).some((option) => /^no-new-privileges(?:[:=]true)?$/.test(option))
        ? undefined
        : "may gain rights by a setuid program: security_opt has no no-new-privileges:true",
  },
  {
    id: "own-namespaces",
    source: "CIS 5.10, 5.16, 5.17, 5.21, 5.31",
    check: ({ settings }) => {
      const found = SHARED_NAMESPACES.filter((key) => key in settings);
      return found.length === 0 ? undefined : `shares a namespace: ${found.join(", ")}`;
    },
  },
  {
    id: "limits",
    source: "CIS 5.11, 5.12, 5.29, OWASP 7",
    check: ({ settings }) => {
      const limits = mapping(mapping(mapping(settings["deploy"])["resources"])["limits"]);
      const missing = ["memory", "cpus", "pids"].filter((key) => limits[key] === undefined || limits[key] === "");
      return missing.length === 0 ? undefined : `has no limit for ${missing.join(", ")}`;
    },
  },
  {
    id: "log-rotation",
    source: "OWASP 12",
    check: ({ settings }) => {
      const { driver, options } = mapping(settings["logging"]);
      const { "max-size": size, "max-file": files } = mapping(options);
      return typeof driver === "string" && size !== undefined && files !== undefined
        ? undefined
        : "has logs that are not rotated: logging needs a driver, max-size and max-file";
    },
  },
  {
    id: "restart",
    source: "CIS 5.15",
    check: ({ settings: { restart } }) =>
      restart === "unless-stopped" || restart === "no" ? undefined : "has no restart policy",
  },
  {
    id: "health-check",
    source: "CIS 5.27",
    check: ({ settings: { restart, healthcheck } }) => {
      if (restart === "no") return undefined;
      const { test, interval, disable } = mapping(healthcheck);
      return test === undefined || interval === undefined || disable === true ? "has no health check" : undefined;
    },
  },
  {
    id: "loopback",
    source: "CIS 5.14",
    check: ({ ports }) => {
      const open = ports
        // A range that is too wide to be counted is open like any other.
        .flatMap((entry): { address: string; port: number | string }[] => {
          return publishedBy(entry, (text) => text) ?? [{ address: entry.address, port: entry.host }];
        })
        .filter(({ address }) => !/^(?:127\.|::1$)/.test(address));
      return open.length === 0
        ? undefined
        : `publishes ${open.map(({ port }) => String(port)).join(", ")} to other hosts`;
    },
  },
  {
    id: "no-docker-socket",
    source: "CIS 5.32, OWASP 1",
    check: ({ mounts }) =>
      mounts.some(({ source, target }) => source.endsWith("docker.sock") || target.endsWith("docker.sock"))
        ? "mounts the Docker socket, which is root on this host"
        : undefined,
  },
];

/** Every rule that a service of the file does not keep. @param compose with its variables filled in */
export function hardeningFindings(compose: Compose): Finding[] {
  return [...compose.services.values()].flatMap((service) =>
    HARDENING_RULES.flatMap(({ id, check }) => {
      const message = check(service);
      return message === undefined ? [] : [{ rule: id, service: service.name, message }];
    }),
  );
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
