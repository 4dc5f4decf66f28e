import { hasConditionalUser, type Compose, type Service } from "../compose/model.ts";
import type { Container } from "../host/containers.ts";
import { failed, passed, UP, type Verdict } from "./probe.ts";

interface Around {
  compose: Compose;
  now: () => number;
}

/** Whether every container of a service runs, or has done its work. */
export function stateVerdict(service: Service, containers: readonly Container[], about: Around): Verdict {
  if (containers.length === 0) return failed("has no container", `start it: ${UP}`);
  const verdicts = containers.map((container) => oneVerdict(service, container, about));
  const [first = failed("has no container", UP)] = verdicts;
  return verdicts.find(({ outcome }) => outcome !== "pass") ?? first;
}

/** Restarted so lately, it may be about to end again. */
const LATELY_MS = 60_000;

function oneVerdict(service: Service, container: Container, { compose, now }: Around): Verdict {
  const { name } = service;
  const logs = `docker compose logs --tail 50 ${name}`;
  const { status, exitCode, health, restarts, startedAt, wasOutOfMemory } = container;
  if (status === "exited" && exitCode === 0 && mayEnd(service, compose)) return passed("has done its work");
  if (status === "paused")
    return failed(
      "is paused",
      `docker compose unpause ${name}; scripts/backup-status.sh tells whether a backup paused it`,
    );
  if (status === "restarting")
    return failed(`starts again and again; it ended with exit code ${String(exitCode)}`, `see why: ${logs}`);
  if (status !== "running") {
    const why = wasOutOfMemory ? "; the kernel killed it, as it reached its memory limit" : "";
    return failed(`is not running (${status}, exit code ${String(exitCode)}${why})`, `see why: ${logs}; then ${UP}`);
  }
  if (health === "starting") return failed("is still starting", "run this again with --wait 120");
  if (health !== undefined && health !== "healthy")
    return failed(`its health check fails (${health})`, `see why: ${logs}`);
  const times =
    restarts === 0 ? "" : `; the engine has restarted it ${restarts === 1 ? "once" : `${String(restarts)} times`}`;
  const age = startedAt === undefined ? LATELY_MS : now() - startedAt;
  if (restarts > 0 && age < LATELY_MS)
    return failed(`runs for ${String(Math.round(age / 1000))} seconds only${times}`, `see why: ${logs}`);
  return passed(`${health === undefined ? "is running, without a health check" : "is healthy"}${times}`);
}

/** Whether ending with 0 is what a service is for: it says so itself, or another waits for that. */
function mayEnd({ name, settings }: Service, compose: Compose): boolean {
  const { restart } = settings;
  const policy = restart === false ? "no" : restart;
  if (policy === "no" || (typeof policy === "string" && policy.startsWith("on-failure"))) return true;
  return policy === undefined && hasConditionalUser(compose, name, "service_completed_successfully");
}
