/** What this host is, as far as it can be read without an engine. Undefined: it cannot be determined. */
export interface HostFacts {
  platform: string;
  arch: string;
  kernel: string;
  /** Version of Node. */
  node: string;
  cores: number;
  /** In bytes. */
  memory: number;
  /** Flags of the processor. */
  cpuFlags: ReadonlySet<string> | undefined;
  isSelinuxEnforcing: boolean;
  isWsl: boolean;
  /** Names of variables that say that this host is behind a proxy; never their values. */
  proxies: readonly string[];
  /** Names of the variables that say which engine docker uses; never their values. */
  engineVariables: readonly string[];
  /** In milliseconds since 1970. */
  now: number;
  /** Settings of the kernel that a service asks for. */
  kernelSettings: ReadonlyMap<string, number | undefined>;
  /** Below the root. */
  disk: Disk | undefined;
}

export interface Disk {
  /** Free for an ordinary user, in bytes. */
  free: number;
  /** Linux's magic number of the file system. */
  type: number;
}

/** What the engine says of itself. */
export interface EngineFacts {
  version: string;
  /** Compose's version; undefined where it is not installed. */
  compose: string | undefined;
  /** In bytes. */
  memory: number;
  cgroup: string;
  /** Kinds of limits that it cannot enforce. */
  missingLimits: readonly string[];
  isRootless: boolean;
  hasProxy: boolean;
  /** Its clock, in milliseconds since 1970. */
  time: number | undefined;
  /** Where its volumes are; undefined where that is not on this host. */
  disk: Disk | undefined;
  /** The most open files that it can give. */
  openFiles: number | undefined;
  /** `NAME:TAG` of every image that it has. */
  images: ReadonlySet<string>;
  /** Ports that its containers publish, as `tcp/6333`. */
  published: ReadonlySet<string>;
}

/** Why there is no answer from an engine. */
export interface NoEngine {
  problem: "missing" | "timeout" | "denied" | "stopped" | "context" | "other";
  /** The first line of what docker said. */
  said: string;
}

/** What the frameworks of the root ask of the host. */
export interface Needs {
  frameworks: number;
  /** Sum of the memory limits, in MiB. */
  memory: number;
  /** Flags of the processor, by architecture, with the service that needs them. */
  cpu: readonly { service: string; arch: string; flags: readonly string[] }[];
  /** Services whose volumes must not be on a network file system. */
  blockStorage: readonly string[];
  kernel: readonly { service: string; name: string; least: number }[];
  openFiles: number;
  images: readonly string[];
  /** Ports that are listened on now, as `tcp/6333`, of those that a framework publishes. */
  listening: readonly string[];
}
