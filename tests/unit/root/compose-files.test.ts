import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { readRoot } from "../../../src/root/root.ts";
import { builtIn } from "../../helpers/catalogue.ts";
import { tempDir } from "../../helpers/temp.ts";

const catalogue = await builtIn();
const publishing = (port: number): string => `services:\n  a:\n    ports: ["${String(port)}:80"]\n`;

/** What is found in a root that `lay` fills; a directory beside it is outside of it. */
async function found(lay: (root: string, outside: string) => void): Promise<{ ports: number[]; warnings: string[] }> {
  const dir = tempDir();
  const root = join(dir, "root");
  const outside = join(dir, "outside");
  for (const each of [root, outside]) fs.mkdirSync(each);
  lay(root, outside);
  const read = await readRoot(root, "r", catalogue);
  const { all, warnings } = await read.claims();
  return { ports: all.map(({ port }) => port).toSorted((a, b) => a - b), warnings: [...read.warnings, ...warnings] };
}

describe("compose files that are found", () => {
  it("lie at any sane depth, but not in what is hidden or installed", async () => {
    const { ports, warnings } = await found((root) => {
      fs.outputFileSync(join(root, "compose.yaml"), publishing(1000));
      fs.outputFileSync(join(root, "a/b/c/d/e/f/docker-compose.yml"), publishing(1001));
      fs.outputFileSync(join(root, "a/.git/compose.yaml"), publishing(1002));
      fs.outputFileSync(join(root, "a/node_modules/x/compose.yaml"), publishing(1003));
    });
    expect([ports, warnings]).toEqual([[1000, 1001], []]);
  });

  it("are links to files of the root", async () => {
    const { ports, warnings } = await found((root) => {
      fs.outputFileSync(join(root, "a/stack.yaml"), publishing(1000));
      fs.symlinkSync("stack.yaml", join(root, "a/compose.yaml"));
    });
    expect([ports, warnings]).toEqual([[1000], []]);
  });

  it("are what others include or extend, in every way that Compose knows, once each", async () => {
    const { ports, warnings } = await found((root) => {
      fs.outputFileSync(
        join(root, "a/compose.yaml"),
        'include:\n  - one.yaml\n  - path: [two.yaml, "${DIR:-sub}/three.yaml"]\nservices:\n  b:\n    extends: { file: four.yaml, service: a }\n',
      );
      fs.outputFileSync(join(root, "a/one.yaml"), `include: compose.yaml\n${publishing(1001)}`);
      fs.outputFileSync(join(root, "a/two.yaml"), publishing(1002));
      fs.outputFileSync(join(root, "a/sub/three.yaml"), publishing(1003));
      fs.outputFileSync(join(root, "a/four.yaml"), publishing(1004));
    });
    expect([ports, warnings]).toEqual([[1001, 1002, 1003, 1004], []]);
  });
});

describe("compose files that cannot be judged", () => {
  it.each<[string, (root: string, outside: string) => void, string]>([
    [
      "a link that leads out",
      (root, outside) => {
        fs.outputFileSync(join(outside, "x.yaml"), publishing(1000));
        fs.outputFileSync(join(root, "a/.keep"), "");
        fs.symlinkSync(join(outside, "x.yaml"), join(root, "a/compose.yaml"));
      },
      "r/a/compose.yaml is a link that leads out",
    ],
    [
      "a link that leads nowhere",
      (root) => {
        fs.outputFileSync(join(root, "a/.keep"), "");
        fs.symlinkSync("gone", join(root, "a/compose.yaml"));
      },
      "r/a/compose.yaml is a link that leads out",
    ],
    [
      "a directory that is a link",
      (root, outside) => {
        fs.outputFileSync(join(outside, "compose.yaml"), publishing(1000));
        fs.outputFileSync(join(root, "a/.keep"), "");
        fs.symlinkSync(outside, join(root, "a/more"));
      },
      "r/a/more is a link to a directory with compose files",
    ],
    [
      "a link in the root itself",
      (root, outside) => {
        fs.outputFileSync(join(outside, "compose.yaml"), publishing(1000));
        fs.symlinkSync(outside, join(root, "a"));
      },
      "r/a is a link to a directory with compose files",
    ],
    [
      "what lies too deep",
      (root) => fs.outputFileSync(join(root, "1/2/3/4/5/6/7/8/compose.yaml"), publishing(1000)),
      "r/1/2/3/4/5/6/7/8 is more than 6 directories deep",
    ],
    [
      "too many directories",
      (root) => {
        for (let n = 0; n < 1_001; n += 1) fs.ensureDirSync(join(root, "a", String(n)));
      },
      "r/a has more than 1000 directories",
    ],
    [
      "an include of a file outside",
      (root, outside) => {
        fs.outputFileSync(join(outside, "x.yaml"), publishing(1000));
        fs.outputFileSync(join(root, "compose.yaml"), "include: [../outside/x.yaml]\n");
      },
      "r/compose.yaml uses ../outside/x.yaml, which is not a file in r",
    ],
    [
      "an include from the network",
      (root) => fs.outputFileSync(join(root, "compose.yaml"), "include: [{ path: oci://host/x }]\n"),
      "r/compose.yaml uses oci://host/x, which is not a file in r",
    ],
    [
      "an include of a kind that Compose does not know",
      (root) => fs.outputFileSync(join(root, "compose.yaml"), "include: [{ file: x }]\n"),
      "r/compose.yaml uses another file, which is not a file in r",
    ],
    [
      "a range that nobody can mean",
      (root) => fs.outputFileSync(join(root, "compose.yaml"), 'services:\n  a:\n    ports: ["1-65535:1-65535"]\n'),
      "r/compose.yaml: services.a publishes more than 20000 ports",
    ],
    [
      "a file of more than 2 MiB",
      (root) => fs.outputFileSync(join(root, "compose.yaml"), `${publishing(1000)}# ${"x".repeat(2 * 1024 * 1024)}`),
      "r/compose.yaml cannot be read: it is larger than 2 MiB",
    ],
  ])("are named in a warning: %s", async (_, lay, warning) => {
    const { ports, warnings } = await found(lay);
    expect([ports, warnings]).toEqual([[], [expect.stringContaining(warning)]]);
  });
});
