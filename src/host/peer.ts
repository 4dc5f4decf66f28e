import type { Container } from "./containers.ts";
import { askDocker, type DockerAnswer } from "./docker.ts";

/** A script for a container's shell. */
export interface Script {
  text: string;
  /** Handed over by the environment: an argument would be in the host's list of processes. */
  env: Readonly<Record<string, string>>;
  timeoutMs: number;
}

/**
 * Runs a script inside a running container. The script must end by itself. Nothing here may leave a process behind or
 * kill one: it would become a child of the container's first process, and PostgreSQL takes such a death for a crash of
 * one of its own and restarts them all.
 */
export async function runInside(container: Container, script: Script): Promise<DockerAnswer> {
  return askDocker(["exec", ...envFlags(script), container.id, "sh", "-c", script.text], optionsOf(script));
}

/**
 * Runs a script in a new container of the same image, with no capabilities and a read-only file system, on one network.
 * It ends and is removed by itself, also when this program is killed meanwhile.
 * @param network one that the engine has
 * @param run what the container is labelled with
 */
export async function runBeside(
  { user, image }: Container,
  network: string,
  script: Script,
  run: string,
): Promise<DockerAnswer> {
  const flags = [
    "--rm",
    `--network=${network}`,
    "--pull=never",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--read-only",
    "--tmpfs=/tmp:size=16m,mode=1777",
    "--memory=512m",
    "--pids-limit=64",
    "--log-driver=none",
    `--label=${PROBE_LABEL}=${run}`,
    // A client's configuration may give every container proxies; nothing here is beyond one.
    ...["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].map(
      (name) => `--env=${name}=`,
    ),
    "--env=no_proxy=*",
    "--env=NO_PROXY=*",
    ...(user === "" ? [] : [`--user=${user}`]),
  ];
  return askDocker(
    ["run", ...flags, ...envFlags(script), "--env=HOME=/tmp", "--entrypoint=sh", image, "-c", limited(script)],
    // Making a container takes a moment, and more where many are made at once.
    optionsOf({ ...script, timeoutMs: script.timeoutMs + STARTING_MS }),
  );
}

/** The label of every container that a probe makes; its value tells runs apart. */
export const PROBE_LABEL = "framework-infra.probe";

const STARTING_MS = 10_000;

function envFlags({ env }: Script): string[] {
  return Object.keys(env).map((name) => `--env=${name}`);
}

function optionsOf({ env, timeoutMs }: Script): { env: Readonly<Record<string, string>>; timeoutMs: number } {
  // A script has its own limit; this one is for an engine that does not answer.
  return { env, timeoutMs: timeoutMs + 3000 };
}

/**
 * Ends a script that takes too long: 124, as by `timeout`, which not every image has. Only in a container of our own: it
 * leaves processes behind.
 */
function limited({ text, timeoutMs }: Script): string {
  const seconds = String(Math.ceil(timeoutMs / 1000));
  return `( ${text}
) & work=$!
( sleep ${seconds}; : >/tmp/.late; kill -TERM $work 2>/dev/null && sleep 2 && kill -KILL $work 2>/dev/null ) >/dev/null 2>&1 </dev/null & clock=$!
wait $work; code=$?
kill $clock 2>/dev/null
[ ! -e /tmp/.late ] || code=124
exit $code`;
}
