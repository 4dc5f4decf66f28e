import * as crypto from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

// Linux gives /dev/urandom this number on every machine (Documentation/admin-guide/devices.txt: 1, 9).
const URANDOM = 0x109;

/**
 * Bytes that nobody can guess. On Linux they come from the kernel's generator, which is what seeds that of
 * node:crypto: loading the module would take a tenth of the time in which a framework is made (decision 12).
 * Where the device is missing or is not the kernel's, they come from node:crypto.
 */
export function randomBytes(count: number): Buffer {
  return (process.platform === "linux" ? fromDevice("/dev/urandom", count) : undefined) ?? crypto.randomBytes(count);
}

/** @returns undefined when the path is not that device, or gives fewer bytes */
export function fromDevice(path: string, count: number): Buffer | undefined {
  let device: number;
  try {
    device = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const found = fstatSync(device);
    if (!found.isCharacterDevice() || found.rdev !== URANDOM) return undefined;
    const bytes = Buffer.alloc(count);
    return readSync(device, bytes, 0, count, null) === count ? bytes : undefined;
  } finally {
    closeSync(device);
  }
}
