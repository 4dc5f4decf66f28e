import { beforeEach } from "vitest";

import { isListening } from "../../src/host/listening.ts";
import { leftOut } from "./left-out.ts";

/** Ports that tests expect to be given: the first of each service's range. */
const RANGES = [3000, 5432, 6333].flatMap((base) => Array.from({ length: 12 }, (_, offset) => base + offset));

/**
 * For a file whose tests expect the ports of the table: on a host where something listens on one of them, the
 * program rightly gives others. Call it at the file's top level.
 */
export async function needTablePorts(): Promise<void> {
  const held = await Promise.all(RANGES.map(async (port) => ((await isListening("tcp", port)) ? [port] : [])));
  const busy = held.flat();
  if (busy.length === 0) return;
  leftOut("tests that expect the ports of the table", `nothing to listen on ${busy.join(", ")}`);
  beforeEach(({ skip }) => {
    skip("ports of the table are in use on this host");
  });
}
