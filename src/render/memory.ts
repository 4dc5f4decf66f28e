import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Spec } from "../spec/schema.ts";

/** Sum of the memory limits of what keeps running, in MiB. */
export function totalMemory(spec: Spec, catalogue: Catalogue, profile: Spec["profile"] = spec.profile): number {
  return Object.keys(spec.services)
    .flatMap((id) => catalogue.services.get(id)?.containers ?? [])
    .filter((container) => !container.oneShot)
    .reduce((sum, container) => sum + mebibytes(container.limits[profile].memory), 0);
}

const UNIT: Record<string, number> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** @param size as Docker takes it: 10m is 10 MiB */
export function bytesOf(size: string): number {
  return Number(size.slice(0, -1)) * (UNIT[size.slice(-1)] ?? 1);
}

function mebibytes(size: string): number {
  return bytesOf(size) / 1024 ** 2;
}

export function formatMebibytes(size: number): string {
  return size >= 1024 ? `${(size / 1024).toFixed(1).replace(/\.0$/, "")} GiB` : `${String(size)} MiB`;
}

export interface MemoryReport {
  line: string;
  /** Set when the limits exceed what this machine has. */
  warning: string | undefined;
}

/**
 * Memory limits in total beside the machine's memory.
 * @param machine bytes
 * @param others specs of the frameworks that are there already
 */
export function memoryReport(
  spec: Spec,
  catalogue: Catalogue,
  machine: number,
  others: readonly Spec[] = [],
): MemoryReport {
  const total = totalMemory(spec, catalogue);
  const together = others.reduce((sum, other) => sum + totalMemory(other, catalogue), total);
  const available = Math.floor(machine / 1024 / 1024);
  const size = formatMebibytes(available);
  const line = `memory limits ${formatMebibytes(total)} in total (profile ${spec.profile}); this machine has ${size}`;
  if (total > available) {
    const warning = `warning: the limits of this stack (${formatMebibytes(total)}) exceed this machine's memory (${size}): take a smaller profile or fewer services`;
    return { line, warning };
  }
  if (together > available) {
    const warning = `warning: limits of all ${String(others.length + 1)} frameworks here add up to ${formatMebibytes(together)}, and this machine has ${size}: they may not all run at once`;
    return { line, warning };
  }
  return { line, warning: undefined };
}
