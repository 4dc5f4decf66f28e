/**
 * For a check that needs something this machine lacks: says so in one line, and never passes in silence.
 * @param allowed true where the check follows later in the same run
 * @returns true when the test may return; in CI, where everything is installed, it fails instead
 */
export function leftOut(what: string, needs: string, allowed = false): true {
  const line = `left out: ${what} (needs ${needs})`;
  const ci = process.env["CI"] ?? "";
  if (!allowed && ci !== "" && ci !== "false") throw new Error(`${line}; in CI nothing may be left out`);
  process.stderr.write(`${line}\n`);
  return true;
}
