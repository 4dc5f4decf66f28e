import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { UserError } from "../../../src/lib/errors.ts";
import { allocate, OVERFLOW, type AllocationInput, type PortRequest } from "../../../src/ports/allocate.ts";
import { ClaimTable, type Claim } from "../../../src/ports/claim.ts";
import { reservedReason } from "../../../src/ports/reserved.ts";

const QDRANT: PortRequest = { service: "qdrant", protocol: "tcp", base: 6333, last: 6432 };
const LANGFUSE: PortRequest = { service: "langfuse", protocol: "tcp", base: 3000, last: 3099 };
const POSTGRES: PortRequest = { service: "postgres", protocol: "tcp", base: 5432, last: 5531 };
const ALL = [LANGFUSE, POSTGRES, QDRANT];

function claim(port: number, protocol: "tcp" | "udp" = "tcp"): Claim {
  return {
    port,
    protocol,
    address: "127.0.0.1",
    framework: "other",
    place: "other",
    service: "web",
    variable: null,
    source: "foreign",
    file: "other/compose.yaml",
    shadowed: false,
  };
}

async function run(options: Partial<AllocationInput> & { held?: Claim[]; busy?: number[] } = {}) {
  const { ports, notes } = await allocate({
    requests: ALL,
    slot: undefined,
    claims: new ClaimTable(options.held ?? []),
    listening: (_, port) => Promise.resolve((options.busy ?? []).includes(port)),
    ...options,
  });
  return { ports: Object.fromEntries(ports), notes };
}

const refusal = async (work: Promise<unknown>): Promise<UserError> =>
  work.then(
    () => {
      throw new Error("nothing was refused");
    },
    (error: unknown) => {
      if (error instanceof UserError) return error;
      throw error;
    },
  );

describe("allocate", () => {
  it.each([0, 1, 2, 3, 4])("gives slot %i the ports of the seed's table", async (slot) => {
    expect((await run({ slot })).ports).toEqual({ langfuse: 3000 + slot, postgres: 5432 + slot, qdrant: 6333 + slot });
  });

  it("gives every other framework the first free offset from 5 on", async () => {
    expect((await run()).ports).toEqual({ langfuse: 3005, postgres: 5437, qdrant: 6338 });
    expect((await run({ held: [claim(5437)] })).ports).toEqual({ langfuse: 3006, postgres: 5438, qdrant: 6339 });
  });

  it("moves all services of a framework together, and says why", async () => {
    const { ports, notes } = await run({ slot: 0, busy: [5432] });
    expect(ports).toEqual({ langfuse: 3005, postgres: 5437, qdrant: 6338 });
    expect(notes.join("\n")).toContain("5432 (postgres) is held by a program that listens on this host");
    expect(notes.join("\n")).toContain("now langfuse 3005, postgres 5437, qdrant 6338");
  });

  it("does not take another protocol's holder for a clash", async () => {
    expect((await run({ slot: 0, held: [claim(6333, "udp")] })).ports["qdrant"]).toBe(6333);
  });

  it("takes a typed port as it is and gives the others the usual ones", async () => {
    const { ports } = await run({ slot: 0, requests: [LANGFUSE, POSTGRES, { ...QDRANT, typed: 8000 }] });
    expect(ports).toEqual({ langfuse: 3000, postgres: 5432, qdrant: 8000 });
  });

  it("refuses a typed port that is held, naming port, holder and the nearest free one", async () => {
    const error = await refusal(
      run({ requests: [{ ...QDRANT, typed: 8000 }], held: [claim(8000), claim(8001)], busy: [7999] }),
    );
    expect(error.exit).toBe(3);
    expect(error.message).toBe("port 8000 for qdrant is held by web of other (other/compose.yaml)");
    expect(error.hint).toBe("nearest free: --port qdrant=8002");
  });

  it("refuses a typed port on which something listens", async () => {
    const error = await refusal(run({ requests: [{ ...QDRANT, typed: 8000 }], busy: [8000] }));
    expect(error.exit).toBe(3);
    expect(error.message).toContain("a program that listens on this host");
  });

  it("refuses a port that two services are given", async () => {
    const error = await refusal(
      run({
        requests: [
          { ...QDRANT, typed: 8000 },
          { ...POSTGRES, typed: 8000 },
        ],
      }),
    );
    expect(error.exit).toBe(2);
  });

  it("names every taken port at once", async () => {
    const requests = [
      { ...QDRANT, typed: 8000 },
      { ...POSTGRES, typed: 9000 },
    ];
    const error = await refusal(run({ requests, busy: [8000, 9000] }));
    expect(error.details.map((detail) => detail.key)).toEqual(["services.qdrant.port", "services.postgres.port"]);
  });

  it.each([33_000, 80, 6000, 10_080])("warns of typed port %i, but takes it", async (port) => {
    const { ports, notes } = await run({ requests: [{ ...QDRANT, typed: port }] });
    expect(ports["qdrant"]).toBe(port);
    expect(notes.join("\n")).toMatch(/^warning: port/);
  });

  it("goes through the overflow segment when a range is used up", async () => {
    const held = Array.from({ length: 100 }, (_, index) => claim(6333 + index));
    expect((await run({ held })).ports["qdrant"]).toBe(OVERFLOW.first);
  });

  it("says so when no port is left at all", async () => {
    const held = [
      ...Array.from({ length: 100 }, (_, index) => claim(6333 + index)),
      ...Array.from({ length: OVERFLOW.last - OVERFLOW.first + 1 }, (_, index) => claim(OVERFLOW.first + index)),
    ];
    const error = await refusal(run({ requests: [QDRANT], held }));
    expect(error.code).toBe("no-port");
  });
});

const port = fc.integer({ min: 1, max: 65_535 });
const nearby = fc.oneof(
  port,
  fc.integer({ min: 2995, max: 3110 }),
  fc.integer({ min: 5430, max: 5540 }),
  fc.integer({ min: 6330, max: 6440 }),
);

describe("for any set of holders", () => {
  const given = fc.record({
    held: fc.array(nearby, { maxLength: 300 }),
    busy: fc.array(nearby, { maxLength: 100 }),
    slot: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
    typed: fc.option(nearby, { nil: undefined }),
  });

  it("gives only free ports, each once, and reports no false clash", async () => {
    await fc.assert(
      fc.asyncProperty(given, async ({ held, busy, slot, typed }) => {
        const requests = [LANGFUSE, POSTGRES, { ...QDRANT, typed }];
        const taken = new Set([...held, ...busy]);
        const outcome = await run({ requests, slot, held: held.map((each) => claim(each)), busy }).catch(
          (error: unknown) => error,
        );
        if (outcome instanceof UserError) {
          // A refusal is true: the typed port is really held, and the advice can be followed.
          expect(typed !== undefined && taken.has(typed)).toBe(true);
          const advice = Number(/=(\d+)$/.exec(outcome.hint ?? "")?.[1]);
          expect(taken.has(advice)).toBe(false);
          expect(reservedReason(advice)).toBeUndefined();
          return;
        }
        const { ports } = outcome as { ports: Record<string, number> };
        const values = Object.values(ports);
        expect(new Set(values).size).toBe(3);
        for (const value of values) expect(taken.has(value)).toBe(false);
        for (const [service, value] of Object.entries(ports)) {
          if (service !== "qdrant" || typed === undefined) expect(reservedReason(value)).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same answer to the same question", async () => {
    await fc.assert(
      fc.asyncProperty(given, async ({ held, busy, slot }) => {
        const input = { slot, held: held.map((each) => claim(each)), busy };
        const again = { slot, held: [...held].toReversed().map((each) => claim(each)), busy };
        expect((await run(input)).ports).toEqual((await run(again)).ports);
      }),
      { numRuns: 50 },
    );
  });
});
