import * as crypto from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

// Linux gives /dev/random this number on every machine (Documentation/admin-guide/devices.txt: 1, 8).
const RANDOM = 0x108;

/**
 * Bytes that nobody can guess. On Linux they come from the kernel's generator, which is what seeds that of
 * node:crypto: loading the module takes 3 to 4 ms (decision 12). Where the device is missing, is not the kernel's, or
 * does not give them at once (an old kernel, or one that has not gathered enough yet), they come from node:crypto.
 */
export function randomBytes(count: number): Buffer {
  return (process.platform === "linux" ? fromDevice("/dev/random", count) : undefined) ?? crypto.randomBytes(count);
}

/** @returns undefined when the path is not that device, or gives fewer bytes; never waits */
export function fromDevice(path: string, count: number): Buffer | undefined {
  let device: number | undefined;
  try {
    device = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = fstatSync(device);
    if (!found.isCharacterDevice() || found.rdev !== RANDOM) return undefined;
    const bytes = Buffer.alloc(count);
    return readSync(device, bytes, 0, count, null) === count ? bytes : undefined;
  } catch {
    // node:crypto has its own way to say what is wrong.
    return undefined;
  } finally {
    if (device !== undefined) closeSync(device);
  }
}
