import { availableParallelism, totalmem } from "node:os";

/** Memory of this machine in bytes. */
export function machineMemory(): number {
  return totalmem();
}

/** Cores of this machine that a program may use. */
export function machineCores(): number {
  return availableParallelism();
}

/** The day it is, in UTC, as YYYY-MM-DD. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
