import { totalmem } from "node:os";

/** Memory of this machine in bytes. */
export function machineMemory(): number {
  return totalmem();
}
