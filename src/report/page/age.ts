/** How long ago: `3 hours ago`. @param ms below zero for a time that is still to come */
export function ageText(ms: number): string {
  if (ms < 0) return "dated in the future";
  const { size, unit } = UNITS.find(({ from }) => ms >= from) ?? { size: 1, unit: "" };
  if (unit === "") return "just now";
  const count = Math.floor(ms / size);
  return `${String(count)} ${unit}${count === 1 ? "" : "s"} ago`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
// Hours tell more than "1 day".
const UNITS = [
  { from: 48 * HOUR, size: 24 * HOUR, unit: "day" },
  { from: HOUR, size: HOUR, unit: "hour" },
  { from: MINUTE, size: MINUTE, unit: "minute" },
];
