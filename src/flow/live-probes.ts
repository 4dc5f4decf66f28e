import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Manifest } from "../catalogue/manifest.ts";
import type { ProbeSpec } from "../catalogue/probe.ts";
import { networkName, type Compose } from "../compose/model.ts";
import { sqlRolledBack } from "../host/database.ts";
import { isElsewhere } from "../host/containers.ts";
import { Guard } from "../host/guard.ts";
import { isoTime, now, pause } from "../host/machine.ts";
import { runBeside, runInside } from "../host/peer.ts";
import { randomBytes } from "../host/random.ts";
import { connectionProblem, request } from "../host/requests.ts";
import { once } from "../lib/once.ts";
import { containersOf, networksIn, type StackContext } from "../probes/containers.ts";
import { ask } from "../probes/declared.ts";
import type { ProbeContext } from "../probes/context.ts";
import { notAsked, unknown, type Probe } from "../probes/probe.ts";
import { projectOf, type Framework } from "../root/framework.ts";
import { isExternal } from "../spec/schema.ts";

/** A stack that is to be asked. */
export interface LiveStack {
  framework: Framework;
  compose: Compose;
  /** Takes the values of secrets out of a text. */
  hide: (text: string) => string;
}

/** One run of `validate --live`. */
export interface Run {
  /** What its containers are labelled with. */
  id: string;
  guard: Guard;
  /** For one answer. */
  limitMs: number;
  isReadOnly: boolean;
  /** Whether the engine is on another host. */
  isElsewhere: boolean;
}

/** More than any message of ours; a server's own may be longer. */
export const MOST_TEXT = 300;

/** @param limitMs for one answer */
export async function beginRun(limitMs: number, isReadOnly: boolean): Promise<Run> {
  const id = randomBytes(8).toString("hex");
  return { id, guard: new Guard(id), limitMs, isReadOnly, isElsewhere: await isElsewhere() };
}

/** What making a container, and taking it away, may add to a question's own time. */
const CONTAINER_MS = 15_000;

/**
 * The probes that the manifests of a stack's services declare.
 * @param elsewhere a network that the stack is not on
 * @returns `left`: how many were left out because they write
 */
export function manifestProbes(
  stack: LiveStack,
  about: StackContext,
  catalogue: Catalogue,
  elsewhere: string | undefined,
  run: Run,
): { probes: Probe[]; left: number } {
  const all = declaredProbes(stack, about, catalogue);
  const asked = all.filter(({ spec }) => !run.isReadOnly || !spec.writes);
  return {
    probes: asked.map((each) => probeOf(each, about, contextFor(stack, elsewhere, run), run)),
    left: all.length - asked.length,
  };
}

interface Declared {
  /** `SERVICE.QUESTION`. */
  id: string;
  spec: ProbeSpec;
  /** The container's name in the Compose file; "" for a service outside the stack. */
  container: string;
}

/** What the manifests of the stack's services declare. */
function declaredProbes({ framework }: LiveStack, { compose }: StackContext, catalogue: Catalogue): Declared[] {
  const { spec } = framework;
  const named = (service: string, probe: ProbeSpec, container: string): Declared => ({
    id: `${service}.${probe.id}`,
    spec: probe,
    container,
  });
  const here = Object.keys(spec.services).flatMap((id) => {
    const manifest: Manifest | undefined = catalogue.services.get(id);
    return (manifest?.probes ?? []).map((probe) =>
      named(id, probe, probe.container ?? manifest?.containers[0]?.name ?? id),
    );
  });
  const outside = [...catalogue.services.values()]
    .filter(({ id }) => isExternal(spec, id))
    .flatMap(({ id, probes, external }) =>
      probes.filter((probe) => external?.probes.includes(probe.id) === true).map((probe) => named(id, probe, "")),
    );
  // What somebody took out of the Compose file is not missed.
  return [...here.filter(({ container }) => compose.services.has(container)), ...outside];
}

function probeOf({ id, spec, container: name }: Declared, about: StackContext, context: ProbeContext, run: Run): Probe {
  const [container] = name === "" ? [] : containersOf(about, name);
  const service = about.compose.services.get(name);
  const networks = service === undefined ? [] : networksIn(service, about);
  const network = container?.networks.find((each) => networks.includes(each.name))?.name;
  return {
    id,
    service: name,
    limitMs: patienceFor(spec, run),
    run: async () => {
      // Why it does not run says its state; a question would only be refused, or hang.
      if (name !== "" && container?.status !== "running") return notAsked(name, container?.status);
      if (name !== "" && run.isElsewhere && (spec.http ?? spec.sql ?? spec.tcp) !== undefined)
        return unknown(
          "was not asked, as the engine is on another host, whose ports are not this one's",
          "run validate --live on that host",
        );
      return ask({ spec, container, network }, context);
    },
  };
}

/** How long all the answers of a probe may take, in milliseconds. */
function patienceFor({ http, exec, reach }: ProbeSpec, { limitMs }: Run): number {
  // To be reached is tried twice before it is a failure.
  const own = exec === undefined && reach === undefined ? 1000 : CONTAINER_MS * (reach === undefined ? 1 : 2);
  const requests = http?.requests ?? [];
  const waits = requests.reduce((sum, { within }) => sum + (within ?? 0) * 1000, 0);
  return own + waits + limitMs * Math.max(1, requests.length + (http?.cleanup.length ?? 0));
}

/** What a probe of a stack works with; its own values are made for each. */
export function contextFor({ framework: { env } }: LiveStack, elsewhere: string | undefined, run: Run): ProbeContext {
  const own = new Map<string, string>();
  const made: Record<string, () => string> = {
    PROBE_NAME: () => `framework_infra_probe_${randomBytes(6).toString("hex")}`,
    PROBE_TRACE: () => randomBytes(16).toString("hex"),
    PROBE_SPAN: () => randomBytes(8).toString("hex"),
    PROBE_NANOSECONDS: () => `${String(now())}000000`,
    PROBE_HOST: () => hostOf(env.get("BIND_ADDRESS") ?? ""),
    PROBE_MINUTE_AGO: () => isoTime(now() - 60_000),
  };
  return {
    lookup: (name) => {
      const make = Object.hasOwn(made, name) ? made[name] : undefined;
      return make === undefined ? env.get(name) : once(own, name, make);
    },
    timeoutMs: run.limitMs,
    now,
    pause,
    request,
    connects: connectionProblem,
    sql: sqlRolledBack,
    inside: runInside,
    beside: async (container, network, script) => {
      const answer = await runBeside(container, network, script, run.id);
      if (answer.failure === "timeout") run.guard.distrust();
      return answer;
    },
    guard: (requests) => run.guard.hold(requests),
    elsewhere,
  };
}

/** Where this host reaches the ports that its containers publish. */
function hostOf(address: string): string {
  if (address === "" || address === "0.0.0.0" || address === "::") return "localhost";
  return address.includes(":") ? `[${address}]` : address;
}

/** A network that the stack is not on: another framework's, or else the engine's own for containers without one. */
export function networkElsewhere(
  { compose, framework }: LiveStack,
  stacks: readonly LiveStack[],
  networks: readonly string[],
): string | undefined {
  const namesIn = (each: Compose, project: string): string[] =>
    [...each.networks]
      .filter(([, { internal }]) => each === compose || internal !== true)
      .map(([key, definition]) => networkName(key, definition, project));
  const own = new Set([...namesIn(compose, projectOf(framework)), `${projectOf(framework)}_default`]);
  const others = stacks.flatMap((each) => namesIn(each.compose, projectOf(each.framework)));
  return [...others, "bridge"].find((name) => !own.has(name) && networks.includes(name));
}
