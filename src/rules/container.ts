import { mapping } from "../lib/mapping.ts";
import { isPlain } from "../compose/syntax.ts";
import type { Service } from "../compose/model.ts";
import type { ServiceRule, Verdict } from "./rule.ts";

// Each gives the host, or nearly so, to whoever has it (Docker drops all of them by itself).
const DANGEROUS =
  /^(?:CAP_)?(?:ALL|SYS_ADMIN|SYS_PTRACE|SYS_MODULE|SYS_RAWIO|SYS_BOOT|SYS_TIME|DAC_READ_SEARCH|NET_ADMIN|BPF|PERFMON|MAC_ADMIN|MAC_OVERRIDE|SYSLOG)$/i;

/** What a container may do: rules about a service's own settings. */
export const CONTAINER_RULES: readonly ServiceRule[] = [
  {
    id: "non-root",
    severity: "warning",
    title: "A container does not run as root",
    why: "A program that runs as root in a container is root on the host once it gets out, and can change every file of its image.",
    fix: 'set user: "UID:GID" to a user that the image knows',
    cis: ["4.1"],
    owasp: ["2"],
    check: ({ settings: { user } }) => {
      const name = isPlain(user) ? String(user).split(":", 1)[0] : undefined;
      if (name === undefined || name === "") return { message: "runs as the image's user, which may be root" };
      return name === "root" || Number(name) === 0
        ? { message: "runs as root", path: ["user"], severity: "error" }
        : undefined;
    },
  },
  {
    id: "no-capabilities",
    severity: "error",
    title: "A container has no Linux capabilities that it does not need",
    why: "Docker leaves a container fourteen capabilities, among them raw packets on its networks. Services that do not start as root need none.",
    fix: "set cap_drop: [ALL], and name in cap_add what the program really needs",
    cis: ["5.4"],
    owasp: ["3"],
    kics: ["Container Capabilities Unrestricted"],
    check: ({ settings }) =>
      strings(settings["cap_drop"]).some((name) => name.toUpperCase() === "ALL")
        ? undefined
        : { message: "keeps Docker's capabilities: cap_drop has no ALL", path: ["cap_drop"] },
  },
  {
    id: "no-dangerous-capabilities",
    severity: "error",
    title: "A container has no capability that gives it the host",
    why: "With one of them, a program can mount the host's disks, load kernel modules, or read the memory of others.",
    fix: "remove them from cap_add, or give the program a host of its own",
    cis: ["5.4"],
    owasp: ["3"],
    kics: ["Container Capabilities Unrestricted"],
    check: ({ settings }) => {
      const found = strings(settings["cap_add"]).filter((name) => DANGEROUS.test(name));
      return found.length === 0 ? undefined : { message: `adds ${found.join(", ")}`, path: ["cap_add"] };
    },
  },
  {
    id: "no-privileges",
    severity: "error",
    title: "A container is not privileged",
    why: "A privileged container has every capability and every device: it is root on the host.",
    fix: "remove privileged; name single capabilities in cap_add, or single devices",
    cis: ["5.5"],
    owasp: ["3"],
    kics: ["Privileged Containers Enabled"],
    check: ({ settings }) => {
      if (isOn(settings["privileged"])) return { message: "is privileged", path: ["privileged"] };
      const hook = ["post_start", "pre_stop"].find((key) => isSome(settings[key], (each) => isOn(each["privileged"])));
      if (hook !== undefined) return { message: `runs a privileged command (${hook})`, path: [hook] };
      return isOn(mapping(settings["build"])["privileged"])
        ? { message: "is built by a privileged container", path: ["build"] }
        : undefined;
    },
  },
  {
    id: "no-devices",
    severity: "warning",
    title: "A container has no devices of the host",
    why: "A device can be a disk with everybody's data. Some, such as a graphics card, may be what the service is for: waive it then.",
    fix: "remove devices, or waive this rule for the service and say why it needs them",
    cis: ["5.18"],
    check: ({ settings }) => {
      const found = ["devices", "device_cgroup_rules", "gpus"].find((key) => isGiven(settings[key]));
      if (found !== undefined) return { message: `has devices of the host (${found})`, path: [found] };
      const { devices } = mapping(mapping(mapping(settings["deploy"])["resources"])["reservations"]);
      return isGiven(devices)
        ? { message: "has devices of the host", path: ["deploy", "resources", "reservations", "devices"] }
        : undefined;
    },
  },
  {
    id: "no-new-privileges",
    severity: "error",
    title: "No process gains rights by a setuid program",
    why: "An image often has programs such as su or mount that run as root whoever starts them.",
    fix: 'add "no-new-privileges:true" to security_opt',
    cis: ["5.26"],
    owasp: ["4"],
    kics: ["No New Privileges Not Set", "Security Opt Not Set"],
    check: ({ settings }) =>
      // The engine takes the last one.
      /^no-new-privileges(?:[:=]true)?$/.test(
        strings(settings["security_opt"]).findLast((option) => option.startsWith("no-new-privileges")) ?? "",
      )
        ? undefined
        : { message: "may gain rights: security_opt has no no-new-privileges:true", path: ["security_opt"] },
  },
  {
    id: "confinement",
    severity: "error",
    title: "Seccomp, AppArmor and SELinux stay on",
    why: "They keep a program from system calls and files that no usual container needs, and are what remains once something else has failed.",
    fix: "remove it from security_opt, or give it a profile of your own",
    cis: ["5.2", "5.3", "5.22"],
    owasp: ["6"],
    kics: ["Default Seccomp Profile Disabled"],
    check: ({ settings }) => {
      const found = strings(settings["security_opt"]).filter((option) =>
        /^(?:(?:seccomp|apparmor)[:=]unconfined|label[:=]disable|systempaths[:=]unconfined)$/.test(option),
      );
      return found.length === 0 ? undefined : { message: `switches off ${found.join(", ")}`, path: ["security_opt"] };
    },
  },
  {
    id: "own-namespaces",
    severity: "error",
    title: "A container shares no namespace",
    why: "With the host's network, a container reaches everything that listens on loopback; with its processes or memory, it can read those of every program.",
    fix: "remove it; publish single ports instead of network_mode: host",
    cis: ["5.10", "5.16", "5.17", "5.21", "5.31"],
    kics: [
      "Shared Host Network Namespace",
      "Shared Host IPC Namespace",
      "Shared Host User Namespace",
      "Host Namespace is Shared",
    ],
    check: ({ settings }) => {
      const found = ["network_mode", "pid", "ipc", "userns_mode", "uts", "cgroup"].filter((key) =>
        isShared(settings[key]),
      );
      const [first] = found;
      if (first === undefined) return undefined;
      const isHosts = found.some((key) => settings[key] === "host");
      return {
        message: `shares ${found.map((key) => `${key}: ${String(settings[key])}`).join(", ")}`,
        path: [first],
        ...(isHosts ? {} : { severity: "warning" }),
      };
    },
  },
  {
    id: "own-cgroup",
    severity: "warning",
    title: "A container is in the control group that the engine gives it",
    why: "In another one, its limits are those of somebody else.",
    fix: "remove cgroup_parent",
    cis: ["5.25"],
    kics: ["Cgroup Not Default"],
    check: ({ settings }) =>
      settings["cgroup_parent"] === undefined
        ? undefined
        : { message: "names a control group of its own", path: ["cgroup_parent"] },
  },
  {
    id: "limits",
    severity: "error",
    title: "A container has limits for memory, CPU and processes",
    why: "Without them, one service can take all that the host has, and every other stack goes down with it.",
    fix: "set deploy.resources.limits: memory, cpus and pids",
    cis: ["5.11", "5.12", "5.29"],
    owasp: ["7"],
    kics: ["Memory Not Limited", "Cpus Not Limited", "Pids Limit Not Set"],
    check: (service) => {
      const missing = missingLimits(service);
      return missing.length === 0
        ? undefined
        : { message: `has no limit for ${missing.join(", ")}`, path: ["deploy", "resources", "limits"] };
    },
  },
  {
    id: "read-only",
    severity: "info",
    title: "A container's root file system is read-only",
    why: "Whoever breaks into it can then leave nothing behind. Not every image allows it.",
    fix: "set read_only: true, with tmpfs for what the program writes; leave it out where the image does not start then",
    cis: ["5.13"],
    owasp: ["8"],
    check: ({ settings }) =>
      isOn(settings["read_only"]) ? undefined : { message: "can write into its image", path: ["read_only"] },
  },
  {
    id: "log-rotation",
    severity: "warning",
    title: "Logs are rotated",
    why: "A log without a limit fills the disk of the host, and then every database on it stops.",
    fix: "set logging: a driver, and options max-size and max-file",
    check: ({ settings }) => {
      const { driver, options } = mapping(settings["logging"]);
      const { "max-size": size, "max-file": files } = mapping(options);
      if (typeof driver === "string" && !/^(?:local|json-file)$/.test(driver)) {
        return driver === "none"
          ? undefined
          : {
              message: `logs by the driver ${driver}, whose rotation is not known here`,
              path: ["logging"],
              outcome: "unknown",
            };
      }
      return typeof driver === "string" && size !== undefined && files !== undefined
        ? undefined
        : {
            message: "has logs that are not rotated: logging needs a driver, max-size and max-file",
            path: ["logging"],
          };
    },
  },
  {
    id: "restart",
    severity: "warning",
    title: "A service has a restart policy",
    why: "Without one, it stays down after a crash or a reboot. With always, it comes back although somebody stopped it.",
    fix: 'set restart: unless-stopped, or "no" for what runs once',
    cis: ["5.15"],
    kics: ["Restart Policy On Failure Not Set To 5"],
    check: ({ settings: { restart } }) => {
      if (restart === "always") return { message: "restarts although it was stopped by hand", path: ["restart"] };
      return isPlain(restart) && /^(?:unless-stopped|no|on-failure(?::[0-9]+)?)$/.test(String(restart))
        ? undefined
        : { message: "has no restart policy", path: ["restart"] };
    },
  },
  {
    id: "health-check",
    severity: "warning",
    title: "A service has a health check",
    why: "Without one, whatever needs it starts too early, and nobody learns that it hangs.",
    fix: "set healthcheck: test and interval, with a command that the image has",
    cis: ["4.6", "5.27"],
    kics: ["Healthcheck Not Set"],
    check: ({ settings: { restart, healthcheck } }) => {
      // What runs once has no health.
      if (restart === "no" || restart === false) return undefined;
      const { test, disable } = mapping(healthcheck);
      const isNone = Array.isArray(test) && test[0] === "NONE";
      if (isOn(disable) || isNone) return { message: "has its health check switched off", path: ["healthcheck"] };
      return test === undefined ? { message: "has no health check", path: ["healthcheck"] } : undefined;
    },
  },
  {
    id: "pinned-image",
    severity: "warning",
    title: "An image has a version",
    why: "latest is another program after each pull, and no way back: a database may refuse what the newer one wrote.",
    fix: "name a version in the image's tag, or a digest",
    cis: ["5.28"],
    owasp: ["13"],
    check: ({ image, settings }): Verdict | undefined => {
      if (image === undefined || settings["build"] !== undefined) return undefined;
      const name = image.slice(image.lastIndexOf("/") + 1);
      const tag = name.split(":")[1] ?? "latest";
      if (image.includes("@sha256:") || !MOVING.test(tag)) return undefined;
      return { message: `runs ${image}, which is another version after each pull`, path: ["image"] };
    },
  },
];

/** Tags that are another image after each build of it. */
const MOVING = /^(?:.*[-.])?(?:latest|main|master|edge|nightly|dev|develop|stable|unstable|head)(?:[-.].*)?$/i;

/** `no` is false to YAML 1.1, and a variable gives text. */
function isOn(value: unknown): boolean {
  return value === true || (typeof value === "string" && /^(?:true|yes|on|1|y|t)$/i.test(value));
}

function isShared(value: unknown): boolean {
  return typeof value === "string" && /^(?:host$|service:|container:)/.test(value);
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== "";
}

function isSome(value: unknown, is: (entry: Record<string, unknown>) => boolean): boolean {
  return Array.isArray(value) && value.some((entry) => is(mapping(entry)));
}

/** Compose takes both ways of writing each. */
function missingLimits({ settings }: Service): string[] {
  const limits = mapping(mapping(mapping(settings["deploy"])["resources"])["limits"]);
  const isSet = (...values: unknown[]): boolean =>
    values.some((value) => isPlain(value) && !/^(?:0+(?:\.0+)?[a-z]*|-.*|)$/i.test(String(value)));
  return [
    ...(isSet(limits["memory"], settings["mem_limit"]) ? [] : ["memory"]),
    ...(isSet(limits["cpus"], settings["cpus"], settings["cpu_quota"]) ? [] : ["cpus"]),
    ...(isSet(limits["pids"], settings["pids_limit"]) ? [] : ["pids"]),
  ];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
