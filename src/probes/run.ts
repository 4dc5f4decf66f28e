import { failed, unknown, type Probe, type Probed, type Verdict } from "./probe.ts";

/** How probes are run, and by whose clock. */
export interface Running {
  /** Probes at the same time; each may be a container. */
  limit: number;
  now: () => number;
  /** What comes of some work within a time, or undefined. */
  within: <T>(ms: number, work: Promise<T>) => Promise<T | undefined>;
  onDone: (done: number, all: number) => void;
}

/** Runs probes side by side. One that hangs holds up nobody: it is given up after its time. */
export async function runProbes(probes: readonly Probe[], running: Running): Promise<readonly Probed[]> {
  const results: Probed[] = [];
  const waiting = probes.entries();
  let done = 0;
  const worker = async (): Promise<void> => {
    for (const [index, probe] of waiting) {
      const begun = running.now();
      const verdict = (await running.within(probe.limitMs, verdictOf(probe))) ?? late(probe);
      results[index] = { id: probe.id, service: probe.service, ms: running.now() - begun, ...verdict };
      done += 1;
      running.onDone(done, probes.length);
    }
  };
  await Promise.all(Array.from({ length: running.limit }, worker));
  return results;
}

/** One that fails by itself, because of a value that nobody thought of, must not take the others with it. */
async function verdictOf({ run }: Probe): Promise<Verdict> {
  try {
    return await run();
  } catch {
    // Its message may repeat such a value.
    return unknown("could not be asked: the question could not be put together", "see the values in .env that it uses");
  }
}

function late({ limitMs }: Probe): Verdict {
  return failed(
    `did not answer within ${String(Math.round(limitMs / 1000))} seconds`,
    "the service or the engine hangs; see docker compose logs and npm run doctor, or give it more time with --timeout",
  );
}
