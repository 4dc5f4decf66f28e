import type { ProbeSpec } from "../catalogue/probe.ts";
import type { Container } from "../host/containers.ts";
import type { DockerAnswer } from "../host/docker.ts";
import type { Script } from "../host/peer.ts";
import { filled, type ProbeContext } from "./context.ts";
import { failed, passed, unknown, hintFor, type Verdict } from "./probe.ts";

/** Runs a probe's script, in a container of its own or in the service's. */
export async function byScript(
  spec: ProbeSpec,
  { from, env, script }: NonNullable<ProbeSpec["exec"]>,
  { container, network: joined }: { container: Container; network: string | undefined },
  context: ProbeContext,
): Promise<Verdict> {
  const network = container.networks.find((each) => each.name === joined);
  const values = { ...env, PROBE_NAME: "${PROBE_NAME}" };
  const work: Script = {
    text: script,
    env: {
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, filled(value, context)])),
      PROBE_ADDRESS: network?.address ?? "",
    },
    timeoutMs: context.timeoutMs,
  };
  if (from === "peer" && network === undefined)
    return unknown("it is on no network on which it could be asked", "see the probe `networks`");
  const answer =
    from === "container"
      ? await context.inside(container, work)
      : await context.beside(container, network?.name ?? "", work);
  if (answer.text !== undefined) return passed(lastOf(answer, spec.title));
  return failure(spec, answer);
}

function failure(spec: ProbeSpec, answer: DockerAnswer): Verdict {
  const last = lastOf(answer, `exit code ${String(answer.code)}`);
  if (answer.failure === "timeout" || answer.code === 124)
    return failed("there was no answer in time", hintFor(spec, "ETIMEDOUT"));
  // Docker's own: it could not run it, or there is no such program in the image. From 128 on, a signal ended it.
  if (answer.code === undefined || answer.code >= 125)
    return unknown(
      `it could not be asked: ${last}`,
      "the image may have no sh, or lack a program that the script uses",
    );
  return failed(last, hintFor(spec, String(answer.code)));
}

/** Reaching must work from inside, or not reaching it from elsewhere says nothing. */
export async function byReaching(
  spec: ProbeSpec,
  script: string,
  container: Container,
  context: ProbeContext,
): Promise<Verdict> {
  const { elsewhere } = context;
  if (elsewhere === undefined)
    return unknown(
      "there is no other network to try it from",
      "the engine has no network `bridge`; start another framework, whose network is used then",
    );
  const addresses = container.networks.map(({ address }) => address).filter((address) => address !== "");
  if (addresses.length === 0) return unknown("it has no address", "see the probe `networks`");
  const limit = Math.min(context.timeoutMs, REACH_MS);
  const control = await context.inside(container, {
    text: script,
    env: { HOST: addresses[0] ?? "" },
    timeoutMs: limit,
  });
  if (control.text === undefined)
    return unknown(
      `does not answer inside its own container: ${lastOf(control, "no answer")}`,
      "see docker compose logs, and the probe `state`",
    );
  // All addresses at once: what must be refused often gets no answer at all.
  const text = `for HOST in ${addresses.join(" ")}; do export HOST; ( ${script}
) >/dev/null 2>&1 && echo "reached $HOST" & done; wait; echo tried`;
  const attempt = async (): Promise<DockerAnswer> =>
    context.beside(container, elsewhere, { text, env: {}, timeoutMs: limit });
  let answer = await attempt();
  // The address may have just been reassigned to another container.
  if (REACHED.test(answer.printed)) answer = await attempt();
  const reached = REACHED.exec(answer.printed)?.[1];
  if (reached !== undefined) return failed(`can be reached from the network ${elsewhere}, at ${reached}`, spec.hint);
  // Cut off at its limit, it has reached nothing until then.
  if (answer.printed.includes("tried") || answer.code === 124) return passed(`${spec.title}: ${elsewhere}`);
  return unknown(`it could not be tried: ${lastOf(answer, "no answer")}`, "docker ps");
}

const REACH_MS = 4000;
const REACHED = /^reached (\S+)$/m;

/** The last line that a script printed, or that it or docker complained with. */
function lastOf({ printed, said }: DockerAnswer, otherwise: string): string {
  return [printed, said].map(lastLine).find((line) => line !== "") ?? otherwise;
}

function lastLine(text: string): string {
  return (text.trimEnd().split("\n").at(-1) ?? "").trim();
}
