import type { Service } from "../compose/model.ts";
import type { Stack } from "../compose/stack.ts";
import type { ServiceRule } from "./rule.ts";

/** Who and what a service can reach, and who can reach it. */
export const EXPOSURE_RULES: readonly ServiceRule[] = [
  {
    id: "loopback",
    severity: "error",
    title: "A port is published on loopback only",
    why: "Docker opens a published port past the host's firewall: on 0.0.0.0, everybody on the network reaches the database.",
    fix: "put 127.0.0.1: in front of the port (BIND_ADDRESS in .env), and use a proxy with TLS for other hosts",
    cis: ["5.14"],
    owasp: ["5a"],
    kics: ["Container Traffic Not Bound To Host Interface"],
    check: ({ ports }) => {
      // Without a host port, the engine takes any, on every address that is not named.
      const open = ports.filter(({ address }) => !/^(?:127\.|::1$)/.test(address));
      return open.length === 0 ? undefined : { message: `publishes ${firstFew(open)} to other hosts`, path: ["ports"] };
    },
  },
  {
    id: "no-privileged-port",
    severity: "warning",
    title: "A host port is not below 1024",
    why: "Those belong to the host's own services, and a rootless engine cannot publish them.",
    fix: "publish a higher port, and let a proxy of the host lead to it",
    cis: ["5.8"],
    kics: ["Privileged Ports Mapped In Container"],
    check: ({ ports }) => {
      const low = ports.filter(({ host }) => /^\d+(?:-\d+)?$/.test(host) && Number.parseInt(host, 10) < 1024);
      return low.length === 0 ? undefined : { message: `publishes ${firstFew(low)}`, path: ["ports"] };
    },
  },
  {
    id: "no-ssh",
    severity: "warning",
    title: "No SSH server is published",
    why: "A container is not a machine to log in to: docker compose exec opens a shell without a server, keys and updates of its own.",
    fix: "remove the port of the SSH server",
    cis: ["5.7"],
    check: ({ ports }) =>
      ports.some(({ container }) => container === "22")
        ? { message: "publishes port 22 of its container", path: ["ports"] }
        : undefined,
  },
  {
    id: "port-reaches-network",
    severity: "error",
    title: "A published port leads somewhere",
    why: "Docker publishes nothing, and says nothing, for a container that is on internal networks only.",
    fix: "add a network that is not internal to the service, or remove its ports",
    check: (service, stack) => {
      if (service.ports.length === 0 || service.settings["network_mode"] !== undefined) return undefined;
      return networksOf(service).every((name) => isInternal(stack, name))
        ? { message: "publishes a port, and is on internal networks only: nothing reaches it", path: ["networks"] }
        : undefined;
    },
  },
  {
    id: "no-way-out",
    severity: "info",
    title: "A service that publishes nothing is on internal networks only",
    why: "What need not reach other hosts should not be able to: a break-in has nowhere to send the data.",
    fix: "put it on networks with internal: true only; leave it as it is where it calls other hosts",
    cis: ["5.30"],
    kics: ["Networks Not Set"],
    check: (service, stack) => {
      if (service.ports.length > 0 || service.settings["network_mode"] !== undefined) return undefined;
      const open = networksOf(service).find((name) => !isInternal(stack, name));
      return open === undefined
        ? undefined
        : { message: `can reach other hosts: its network ${open} is not internal`, path: ["networks"] };
    },
  },
];

function firstFew(ports: Service["ports"]): string {
  const shown = ports
    .slice(0, 10)
    .map(({ host, container }) => (host === "" ? `a random port for ${container}` : host));
  return `${shown.join(", ")}${ports.length > 10 ? ", …" : ""}`;
}

/** Compose puts a service that names no network on its default one. */
function networksOf({ networks }: Service): readonly string[] {
  return networks.length === 0 ? ["default"] : networks;
}

function isInternal({ compose }: Stack, network: string): boolean {
  const definition = compose.networks.get(network);
  return definition?.["internal"] === true || definition?.["internal"] === "true";
}
