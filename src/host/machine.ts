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
