import { describe, expect, it } from "vitest";

import { clockAhead, clockProbe } from "../../../src/probes/clock.ts";

/** An engine whose clock is off by `ahead` ms and that takes `delay` ms to answer, and this host's clock. */
function clocks(ahead: number, delay: number): { engineTime: () => Promise<number>; now: () => number } {
  let at = 1_000_000;
  return {
    now: () => at,
    engineTime: () => {
      at += delay / 2;
      const time = at + ahead;
      at += delay / 2;
      return Promise.resolve(time);
    },
  };
}

describe("the engine's clock", () => {
  it.each([
    [0, 0, 0],
    // What is within the time that the answer took is no difference.
    [0, 8000, 0],
    [60_000, 0, 60_000],
    [-60_000, 0, -60_000],
    [-60_000, 10_000, -55_000],
  ])("off by %d ms, with an answer that takes %d ms, is off by %d ms", async (ahead, delay, expected) => {
    const { engineTime, now } = clocks(ahead, delay);
    expect(await clockAhead(engineTime, now)).toBe(expected);
  });

  it("is the same for every stack, however late it is asked about", async () => {
    const { engineTime, now } = clocks(0, 0);
    const measured = clockAhead(engineTime, now);
    const probe = clockProbe(() => measured, 1000);
    expect(await probe.run()).toMatchObject({ outcome: "pass" });
    await engineTime();
    expect(await probe.run()).toMatchObject({ outcome: "pass" });
  });

  it.each([
    [6000, "6 seconds ahead of"],
    [-6000, "6 seconds behind"],
  ])("fails when it is off by %d ms", async (ahead, words) => {
    const result = await clockProbe(() => Promise.resolve(ahead), 1000).run();
    expect(result).toMatchObject({ outcome: "fail", message: expect.stringContaining(words) });
  });

  it("cannot tell where the engine does not say", async () => {
    const result = await clockProbe(() => Promise.resolve(undefined), 1000).run();
    expect(result.outcome).toBe("unknown");
  });
});
