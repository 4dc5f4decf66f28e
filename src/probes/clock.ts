import { failed, passed, unknown, type Probe } from "./probe.ts";

// A client may be late by some seconds; tokens and traces are refused or lost beyond that.
const MOST_MS = 5000;

/** Whether the engine's clock agrees with this host's; in a virtual machine it can fall behind after a sleep. */
export function clockProbe(engineTime: () => Promise<number | undefined>, now: () => number, limitMs: number): Probe {
  return {
    id: "clock",
    service: "",
    limitMs,
    run: async () => {
      const before = now();
      const time = await engineTime();
      if (time === undefined) return unknown("the engine does not say what time it is", "docker info");
      // It answered some time between the two.
      const ahead = time > now() ? time - now() : Math.min(time - before, 0);
      const seconds = String(Math.round(Math.abs(ahead) / 1000));
      if (Math.abs(ahead) <= MOST_MS) return passed("the engine's clock is this host's");
      return failed(
        `the engine's clock is ${seconds} seconds ${ahead > 0 ? "ahead of" : "behind"} this host's`,
        "set both by NTP (timedatectl set-ntp true); restart the virtual machine of an engine that runs in one",
      );
    },
  };
}
