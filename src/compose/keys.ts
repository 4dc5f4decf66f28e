import { nearest } from "../lib/nearest.ts";
import type { Compose } from "./model.ts";
import type { ComposeProblem } from "./whole.ts";

/**
 * The keys that a service can have, by the Compose specification; besides these, those that begin with `x-`.
 * @see https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json
 */
const SERVICE_KEYS: ReadonlySet<string> = new Set(
  (
    "annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs " +
    "container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares " +
    "cpus cpuset credential_spec depends_on deploy develop device_cgroup_rules devices dns dns_opt " +
    "dns_search domainname entrypoint env_file environment expose extends external_links extra_hosts gpus " +
    "group_add healthcheck hostname image init ipc isolation label_file labels links logging mac_address " +
    "mem_limit mem_reservation mem_swappiness memswap_limit models network_mode networks oom_kill_disable " +
    "oom_score_adj pid pids_limit platform ports post_start pre_stop privileged profiles provider " +
    "pull_policy pull_refresh_after read_only restart runtime scale secrets security_opt shm_size " +
    "stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user " +
    "userns_mode uts volumes volumes_from working_dir"
  ).split(" "),
);

const SERVICE_NAME = /^[a-zA-Z0-9._-]+$/;

/**
 * Names and keys of services that Compose does not know, so that it refuses the file. Not for merges: a newer Compose
 * may know them.
 */
export function unknownIn(compose: Compose): ComposeProblem[] {
  return [...compose.services.values()].flatMap(({ name: service, settings }) => [
    ...(SERVICE_NAME.test(service)
      ? []
      : [{ service, message: "has an invalid name: use only letters, digits and ._-" }]),
    ...Object.keys(settings)
      .filter((key) => !SERVICE_KEYS.has(key) && !key.startsWith("x-"))
      .map((key) => ({
        service,
        message: `has the key ${key}, which is not in the Compose specification${meant(key)}`,
      })),
  ]);
}

function meant(key: string): string {
  const known = nearest(key, [...SERVICE_KEYS]);
  return known === undefined ? "" : `; did you mean ${known}?`;
}
