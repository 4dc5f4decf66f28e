import { availableParallelism, totalmem } from "node:os";

/** Memory of this machine in bytes. */
export function machineMemory(): number {
  return totalmem();
}

/** Cores of this machine that a program may use. */
export function machineCores(): number {
  return availableParallelism();
}
