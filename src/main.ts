import type { Prebuilt } from "./catalogue/load.ts";
import { main } from "./cli/cli.ts";

/**
 * Entry of the bundle. Here the command line meets the generators, which know nothing of each other.
 * @param args what follows the program's name
 * @param packageRoot directory with package.json and templates/
 * @param prebuilt made by the build; empty when run from the sources
 */
export async function start(args: readonly string[], packageRoot: string, prebuilt: Prebuilt): Promise<void> {
  process.exitCode = await main(args, packageRoot, prebuilt, async (name, given, out) => {
    const { interview } = await import("../generators/host.ts");
    return interview(name, given, out);
  });
}
