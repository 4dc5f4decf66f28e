import type { Variable } from "./variables.ts";

// 256 bits: as strong as the strongest key that a service makes from one (AES-256).
const SECRET_BYTES = 32;

/**
 * A value for every secret: the one that exists, or a new one. Hex only, because `$`, `#` and quotes have a meaning
 * in `.env` files and in URLs.
 * @param random gives that many bytes that nobody can guess
 */
export function fillSecrets(
  needed: readonly Variable[],
  existing: ReadonlyMap<string, string>,
  random: (count: number) => Buffer,
): Map<string, string> {
  return new Map(
    needed.map((variable) => {
      const current = existing.get(variable.name);
      return [
        variable.name,
        current === undefined || current === "" ? `${variable.prefix}${random(SECRET_BYTES).toString("hex")}` : current,
      ];
    }),
  );
}
