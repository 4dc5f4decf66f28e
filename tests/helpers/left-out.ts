/**
 * For a check that needs something this machine lacks: says so in one line, and never passes in silence.
 * @returns true when the test may return; in CI, where everything is installed, it fails instead
 */
export function leftOut(what: string, needs: string): true {
  const line = `left out: ${what} (needs ${needs})`;
  if (process.env["CI"] !== undefined && process.env["CI"] !== "" && process.env["CI"] !== "false")
    throw new Error(`${line}; in CI nothing may be left out`);
  process.stderr.write(`${line}\n`);
  return true;
}
