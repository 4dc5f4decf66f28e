import { failed, passed, unknown, type Probe } from "./probe.ts";

// A client may be late by some seconds; tokens and traces are refused or lost beyond that.
const MOST_MS = 5000;

/**
 * How many milliseconds the engine's clock is ahead of this host's; negative when it is behind. Undefined when the
 * engine does not say. It is worth as much later: what is compared is read at the same moment.
 */
export async function clockAhead(
  engineTime: () => Promise<number | undefined>,
  now: () => number,
): Promise<number | undefined> {
  const before = now();
  const time = await engineTime();
  if (time === undefined) return undefined;
  const after = now();
  // It answered some time between the two.
  return time > after ? time - after : Math.min(time - before, 0);
}

/**
 * Whether the engine's clock agrees with this host's; in a virtual machine it can fall behind after a sleep.
 * @param measure see `clockAhead`
 */
export function clockProbe(measure: () => Promise<number | undefined>, limitMs: number): Probe {
  return {
    id: "clock",
    service: "",
    limitMs,
    run: async () => {
      const ahead = await measure();
      if (ahead === undefined) return unknown("the engine does not say what time it is", "docker info");
      const seconds = String(Math.round(Math.abs(ahead) / 1000));
      if (Math.abs(ahead) <= MOST_MS) return passed("the engine's clock is this host's");
      return failed(
        `the engine's clock is ${seconds} seconds ${ahead > 0 ? "ahead of" : "behind"} this host's`,
        "set both by NTP (timedatectl set-ntp true); restart the virtual machine of an engine that runs in one",
      );
    },
  };
}
