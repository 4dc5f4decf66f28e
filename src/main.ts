import { main, type Prebuilt } from "./cli.ts";

/**
 * Entry of the bundle.
 * @param prebuilt given by the build; absent when run from the sources
 */
export async function start(
  args: readonly string[],
  packageRoot: string,
  prebuilt: Prebuilt = { precompiled: new Map(), prechecked: new Map() },
): Promise<void> {
  process.exitCode = await main(args, packageRoot, prebuilt);
}
