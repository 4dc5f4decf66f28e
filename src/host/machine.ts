import { arch, availableParallelism, cpus, homedir, hostname, totalmem } from "node:os";

import { sha256 } from "../lib/digest.ts";
import { textOf } from "./files.ts";

/** Memory of this machine in bytes. */
export function machineMemory(): number {
  return totalmem();
}

/** What `~` stands for. */
export function homeDirectory(): string {
  return homedir();
}

/** Cores of this machine that a program may use. */
export function machineCores(): number {
  return availableParallelism();
}

/** What this machine is, as far as its speed goes. */
export interface MachineInfo {
  /** Tells machines apart, and says nothing of this one: a digest of its own id and its processor. */
  id: string;
  cpu: string;
  architecture: string;
  cores: number;
  /** Bytes. */
  memory: number;
}

export function machineInfo(): MachineInfo {
  const about = {
    cpu: cpus()[0]?.model.trim() ?? "",
    architecture: arch(),
    cores: machineCores(),
    memory: machineMemory(),
  };
  // Memory and cores change with a kernel or a limit, and are still those of the same machine.
  const name = machineName();
  return {
    id: sha256(JSON.stringify(["framework-infra", name, about.cpu, about.architecture])).slice(0, 16),
    ...about,
  };
}

/** machine-id(5), which must not be shown itself; or what the host is called, where there is none that can be read. */
function machineName(): string {
  try {
    const id = textOf("/etc/machine-id", "/etc/machine-id")?.trim() ?? "";
    return id === "" ? hostname() : id;
  } catch {
    return hostname();
  }
}

/** Milliseconds since some time, with fractions. */
export function preciseNow(): number {
  return performance.now();
}

/** The day it is, in UTC, as YYYY-MM-DD. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Milliseconds since 1970. */
export function now(): number {
  return Date.now();
}

/** A time in milliseconds since 1970 as 2027-03-31T12:00:00.000Z. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Lets so many milliseconds pass. */
export async function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** What comes of some work, or undefined when it takes longer; the work itself goes on. */
export async function withinMs<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
