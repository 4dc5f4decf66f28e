import { sha256 } from "../lib/digest.ts";

/**
 * When a framework's backup runs if nobody says so, as HH:MM in UTC: between 01:00 and 04:59, spread by the name, so
 * that the stacks of one host do not all save at once.
 */
export function usualBackupTime(name: string): string {
  return clock(60 + (Number.parseInt(sha256(name).slice(0, 8), 16) % 240));
}

/** An hour later, as HH:MM. */
export function anHourLater(time: string): string {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return clock((hours + 1) * 60 + minutes);
}

/** @param minutes since midnight; those of the next day begin at 0 again */
function clock(minutes: number): string {
  return [Math.floor(minutes / 60) % 24, minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
}
