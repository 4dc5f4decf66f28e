import { posix } from "node:path";

import type { Service } from "../compose/model.ts";
import type { Stack } from "../compose/stack.ts";
import { mapping } from "../lib/mapping.ts";
import type { ServiceRule } from "./rule.ts";

/** Directories of the host that hold it together: to write there is to own it, to read may be enough. */
const SENSITIVE =
  /^\/(?:$|(?:boot|dev|etc|lib|lib64|proc|root|run|sys|usr|snap|var\/(?:run|lib\/(?:docker|containerd|kubelet|containers)))(?:\/.*)?$|var$|var\/lib$|home$|home\/[^/]+$|mnt$|media$)/;
/** Where people keep keys, wherever that is. */
const KEYS = /\/\.(?:ssh|aws|azure|docker|gnupg|kube|config\/gcloud|password-store)(?:\/|$)/;
/** Of the sensitive ones, what is mounted for good reason, as long as it is only read. */
const HARMLESS_TO_READ = /^\/(?:etc\/(?:localtime|timezone|ssl\/certs|ca-certificates|pki)|usr\/share)(?:\/.*)?$/;
const HARMLESS = /^\/dev\/(?:shm|null|zero|full|random|urandom|fuse|dri|kfd|nvidia\w*)(?:\/.*)?$/;
const SOCKET = /(?:docker|containerd|podman|crio|cri-dockerd|buildkitd)\.sock$/;

interface HostPath {
  /** Absolute, without dots. */
  path: string;
  readOnly: boolean;
}

/** Rules about what a service has of the host's files. */
export const MOUNT_RULES: readonly ServiceRule[] = [
  {
    id: "no-docker-socket",
    severity: "error",
    title: "The Docker socket is not mounted",
    why: "Whoever can write to it is root on this host: it starts a container that mounts the host's disk.",
    fix: "remove the mount; where a program must read it, put a proxy in between that allows single GET requests",
    cis: ["5.32"],
    owasp: ["1"],
    kics: ["Docker Socket Mounted In Container"],
    check: (service, stack) => {
      const { mounts, settings } = service;
      const api = settings["use_api_socket"];
      if (api !== undefined && api !== false && api !== "false")
        return { message: "is given the engine's socket (use_api_socket)", path: ["use_api_socket"] };
      return pathsOf(service, stack).some(({ path }) => SOCKET.test(path)) ||
        mounts.some(({ target }) => target.endsWith("docker.sock"))
        ? { message: "mounts the engine's socket, which is root on this host", path: ["volumes"] }
        : undefined;
    },
  },
  {
    id: "no-sensitive-mount",
    severity: "error",
    title: "No system directory and no keys of the host are mounted",
    why: "A program that writes there changes the host; one that reads there finds keys and passwords.",
    fix: "mount a directory of this stack (./config/…), or a volume",
    cis: ["5.6"],
    kics: ["Volume Has Sensitive Host Directory"],
    check: (service, stack) => {
      const found = pathsOf(service, stack).filter((each) => isSensitive(each, stack.dir));
      if (found.length > 0) {
        const paths = found.slice(0, 10).map(({ path }) => path);
        return { message: `mounts ${paths.join(", ")}`, path: ["volumes"] };
      }
      const from = service.settings["volumes_from"];
      return Array.isArray(from) && from.some((each) => String(each).startsWith("container:"))
        ? {
            message: "takes the mounts of a container from elsewhere (volumes_from), which are not known",
            path: ["volumes_from"],
            outcome: "unknown",
          }
        : undefined;
    },
  },
  {
    id: "own-mounts",
    severity: "warning",
    title: "Mounts do not propagate",
    why: "With shared propagation, what one container mounts appears on the host and in others.",
    fix: "remove the propagation from the volume's options",
    cis: ["5.20"],
    kics: ["Volume Mounted In Multiple Containers"],
    check: ({ settings }) => {
      const volumes = Array.isArray(settings["volumes"]) ? (settings["volumes"] as unknown[]) : [];
      const found = volumes.some(
        (entry) =>
          (typeof entry === "string" && /:(?:[^:]*,)?r?(?:shared|slave)(?:,|$)/.test(entry)) ||
          ["shared", "rshared", "slave", "rslave"].some(
            (each) => mapping(mapping(entry)["bind"])["propagation"] === each,
          ),
      );
      return found ? { message: "propagates a mount", path: ["volumes"] } : undefined;
    },
  },
];

function isSensitive({ path, readOnly }: HostPath, dir: string): boolean {
  if (SOCKET.test(path)) return false;
  if (KEYS.test(path)) return true;
  // The stack's own directory may lie in somebody's home, or in /root.
  if (path === dir || path.startsWith(`${dir}/`)) return false;
  return SENSITIVE.test(path) && !HARMLESS.test(path) && !(readOnly && HARMLESS_TO_READ.test(path));
}

/** What a service has of the host: binds, volumes that stand for a directory, files of configs and secrets. */
function pathsOf({ mounts, configs, secrets }: Service, { compose, dir }: Stack): HostPath[] {
  const files = [
    ...configs.map((name) => compose.configs.get(name)),
    ...secrets.map((name) => compose.secrets.get(name)),
  ].flatMap((definition): HostPath[] => located(definition?.["file"], dir, true));
  return [
    ...mounts.flatMap(({ type, source, readOnly }): HostPath[] => {
      if (type === "bind") return located(source, dir, readOnly);
      const options = mapping(compose.volumes.get(source)?.["driver_opts"]);
      return type === "volume" ? located(options["device"], dir, readOnly) : [];
    }),
    ...files,
  ];
}

function located(path: unknown, dir: string, readOnly: boolean): HostPath[] {
  if (typeof path !== "string" || path === "") return [];
  // Somebody's home: whose, the shell knows.
  const at = path.startsWith("~") ? path.replace(/^~[^/]*/, "/home/~") : path;
  return [{ path: posix.resolve(dir, at).replace(/^\/+/, "/"), readOnly }];
}
