import { machineMemory } from "../host/machine.ts";
import { readRoot, type Claims, type Root } from "../root/root.ts";
import type { Place } from "./place.ts";

/** What an interview has to know of the root and of this host. */
export interface Survey {
  root: Root;
  claims: Claims;
  /** Memory of this machine in bytes. */
  memory: number;
}

/**
 * Reads the root for an interview, which asks for it before each question: somebody else may have taken a name or a
 * port meanwhile.
 */
export async function survey({ root: dir, shown, catalogue }: Place): Promise<Survey> {
  const root = await readRoot(dir, shown, catalogue);
  return { root, claims: await root.claims(), memory: machineMemory() };
}

/** Reads which frameworks there are; what is broken is listed. */
export async function readFrameworks({ root, shown, catalogue }: Place): Promise<Root> {
  return readRoot(root, shown, catalogue);
}
