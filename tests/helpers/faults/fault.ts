import fs from "fs-extra";
import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { docker, type Stack } from "../engine.ts";

/** Something that breaks in a running stack, what finds it, and how it is put right again. */
export interface Fault {
  name: string;
  /** Probes that fail, as `SERVICE PROBE` or `SERVICE.PROBE`; every other one passes or was not asked. */
  foundBy: readonly string[];
  /** Rules of the static part that find it as well. */
  rules?: readonly string[];
  /** @returns puts it right; after it, the stack is started again */
  inject: (stack: Stack) => Promise<() => Promise<unknown>>;
  /** Left out of the gate, which has others like it. */
  isOneOfMany?: boolean;
  /** Run the program under a clock that is this many seconds off. */
  clock?: number;
}

/** A Compose file of the stack that holds nothing until a fault needs it. */
export const FAULT_FILE = "fault.yaml";
export const NO_FAULT = "services: {}\n";

/** Writes the stack's file for faults, and starts it with that. */
export async function overridden(stack: Stack, service: string, lines: string): Promise<() => Promise<unknown>> {
  const file = join(stack.dir, FAULT_FILE);
  fs.writeFileSync(file, `services:\n  ${service}:\n${lines}`);
  await stack.ok("up", "-d", "--wait");
  return async () => Promise.resolve(fs.writeFileSync(file, NO_FAULT));
}

/** Gives a variable another value in `.env`, without starting anything. */
export async function changed(stack: Stack, name: string, value: string): Promise<() => Promise<unknown>> {
  const file = join(stack.dir, ".env");
  const before = fs.readFileSync(file, "utf8");
  fs.writeFileSync(
    file,
    before.replace(new RegExp(`^${name}=.*$`, "m"), () => `${name}=${value}`),
  );
  return async () => Promise.resolve(fs.writeFileSync(file, before));
}

/** Connects containers to a network that their file does not name. */
export async function connected(network: string, containers: readonly string[]): Promise<() => Promise<unknown>> {
  for (const container of containers) await docker("network", "connect", network, container);
  return async () => {
    for (const container of containers) await docker("network", "disconnect", network, container);
  };
}

/** A password that is nobody's, and strong. */
export const WRONG = randomBytes(24).toString("hex");
