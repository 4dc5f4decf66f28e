/** A port as a person types it. Digits only: `1e3`, ` 80`, `0x50` and `80.0` are no ports. */
export function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}
