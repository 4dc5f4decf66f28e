import { isMapping, mapping, textual } from "../lib/mapping.ts";
import { askDocker, linesOf } from "./docker.ts";

/** A container of the engine, as far as it is judged. Its environment is never read: it holds secrets. */
export interface Container {
  id: string;
  name: string;
  /** Compose's project and service; "" for a container that Compose did not make. */
  project: string;
  service: string;
  /** Whether `docker compose run` made it. */
  isOneOff: boolean;
  /** The digest of its image, which a container of the same can be made from without a registry. */
  image: string;
  user: string;
  /** The engine's word: created, running, paused, restarting, exited, dead. */
  status: string;
  exitCode: number;
  wasOutOfMemory: boolean;
  restarts: number;
  /** Milliseconds since 1970; undefined for one that was never started. */
  startedAt: number | undefined;
  /** Undefined for a container without a health check. */
  health: string | undefined;
  /** Bytes; 0 where there is no limit. */
  memoryLimit: number;
  networks: readonly { name: string; address: string }[];
  ports: readonly { protocol: string; address: string; port: number }[];
  log: { driver: string; isLimited: boolean };
  /** Where its volumes are mounted, without those in memory. */
  volumes: readonly { target: string }[];
}

/** Every container of the engine, running or not; undefined when it does not answer. */
export async function engineContainers(): Promise<readonly Container[] | undefined> {
  const { text } = await askDocker(["ps", "-aq", "--no-trunc"]);
  if (text === undefined) return undefined;
  const ids = text.split(/\s+/).filter((id) => id !== "");
  if (ids.length === 0) return [];
  // One that has gone meanwhile is an error of the whole, with everything else on standard output.
  const { printed, failure } = await askDocker(["container", "inspect", ...ids]);
  if (failure === "timeout" || failure === "missing") return undefined;
  return parsedList(printed).map(containerOf);
}

function parsedList(text: string): Record<string, unknown>[] {
  try {
    const found: unknown = JSON.parse(text);
    return Array.isArray(found) ? found.filter(isMapping) : [];
  } catch {
    return [];
  }
}

function containerOf(found: Record<string, unknown>): Container {
  const [state, config, host, network] = ["State", "Config", "HostConfig", "NetworkSettings"].map((key) =>
    mapping(found[key]),
  ) as [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>, Record<string, unknown>];
  const labels = mapping(config["Labels"]);
  const health = mapping(state["Health"])["Status"];
  const log = mapping(host["LogConfig"]);
  const driver = textual(log["Type"]);
  const maxSize = textual(mapping(log["Config"])["max-size"]);
  return {
    id: textual(found["Id"]),
    name: textual(found["Name"]).replace(/^\//, ""),
    project: textual(labels["com.docker.compose.project"]),
    service: textual(labels["com.docker.compose.service"]),
    isOneOff: /^true$/i.test(textual(labels["com.docker.compose.oneoff"])),
    image: textual(found["Image"]),
    user: textual(config["User"]),
    status: textual(state["Status"]),
    exitCode: numberOf(state["ExitCode"]),
    wasOutOfMemory: state["OOMKilled"] === true,
    restarts: numberOf(found["RestartCount"]),
    startedAt: timeOf(state["StartedAt"]),
    health: typeof health === "string" && health !== "none" ? health : undefined,
    memoryLimit: numberOf(host["Memory"]),
    networks: Object.entries(mapping(network["Networks"])).map(([name, value]) => ({
      name,
      address: textual(mapping(value)["IPAddress"]),
    })),
    ports: Object.entries(mapping(network["Ports"])).flatMap(([inside, bindings]) => portsOf(inside, bindings)),
    // Only json-file grows without max-size: `local` rotates by itself, and the others keep no file of their own.
    log: { driver, isLimited: driver !== "json-file" || (maxSize !== "" && maxSize !== "-1") },
    volumes: (Array.isArray(found["Mounts"]) ? found["Mounts"] : []).flatMap((mount) => {
      const { Type: type, Destination: target } = mapping(mount);
      return type === "volume" ? [{ target: textual(target) }] : [];
    }),
  };
}

function portsOf(inside: string, bindings: unknown): Container["ports"] {
  const [, protocol = "tcp"] = inside.split("/");
  return (Array.isArray(bindings) ? bindings : []).map((binding) => {
    const { HostIp: address, HostPort: published } = mapping(binding);
    return { protocol, address: textual(address), port: Number(textual(published)) };
  });
}

/** Memory in use by running containers, as part of their limit (0 to 1), by id; none where the engine does not say. */
export async function memoryInUse(): Promise<ReadonlyMap<string, number>> {
  // Without names: with them, one that ends meanwhile makes it fail for all.
  const answer = await askDocker(["stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.MemPerc}}"]);
  return new Map(
    linesOf(answer).flatMap((line): [string, number][] => {
      const [, id, share] = /^(\S+) ([\d.]+)%$/.exec(line) ?? [];
      return id === undefined ? [] : [[id, Number(share) / 100]];
    }),
  );
}

/** What a container's own file systems and cgroup say. */
export interface Inside {
  /** By path: bytes, and how many of them are free. */
  disks: ReadonlyMap<string, { size: number; free: number }>;
  /** How many of its processes the kernel has killed for their memory; undefined where it cannot be told. */
  kills: number | undefined;
}

/** Asks inside a running container. @returns undefined for one that has no shell, or does not answer */
export async function insideOf(id: string, paths: readonly string[], timeoutMs: number): Promise<Inside | undefined> {
  // Both generations of cgroups; -P: one line each, however long the names are.
  const script = `cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null; for path in "$@"; do echo "= $path"; df -Pk "$path" 2>/dev/null; done`;
  const { text } = await askDocker(["exec", id, "sh", "-c", script, "sh", ...paths], { timeoutMs });
  if (text === undefined) return undefined;
  const kills = /^oom_kill (\d+)$/m.exec(text)?.[1];
  const disks = new Map<string, { size: number; free: number }>();
  for (const part of text.split(/^= /m).slice(1)) {
    const [path = "", , line = ""] = part.split("\n");
    const [, size, , free] = /(\d+)\s+(\d+)\s+(\d+)\s+\d+%/.exec(line) ?? [];
    if (size !== undefined) disks.set(path, { size: Number(size) * 1024, free: Number(free) * 1024 });
  }
  return { disks, kills: kills === undefined ? undefined : Number(kills) };
}

/** Names of the engine's networks that containers of any framework may join. */
export async function bridgeNetworks(): Promise<readonly string[]> {
  return linesOf(await askDocker(["network", "ls", "--filter", "driver=bridge", "--format", "{{.Name}}"]));
}

/** The engine's clock, in milliseconds since 1970; undefined where it does not say. */
export async function engineTime(): Promise<number | undefined> {
  const { text } = await askDocker(["info", "--format", "{{.SystemTime}}"]);
  const time = Date.parse((text ?? "").trim());
  return Number.isNaN(time) ? undefined : time;
}

/** Whether the engine is on another host, whose ports are not this one's. */
export async function isElsewhere(): Promise<boolean> {
  const { text } = await askDocker(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
  const address = (text ?? "").trim();
  return (
    /^(?:ssh|tcp|https?):/.test(address) && !/^\w+:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::|\/|$)/.test(address)
  );
}

function timeOf(value: unknown): number | undefined {
  const time = Date.parse(textual(value));
  return Number.isNaN(time) || time <= 0 ? undefined : time;
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
