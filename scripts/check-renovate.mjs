// Whether Renovate itself finds each image of every golden directory, with its version and its digest: `npm run
// test:renovate`. Not part of the other tests: it installs some 270 MB into a temporary directory.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

// The last line of versions that runs on Node 20.
const RENOVATE = "renovate@39.264.1";
const DIGEST = `@sha256:${"0123456789abcdef".repeat(4)}`;

const golden = join(dirname(fileURLToPath(import.meta.url)), "..", "tests", "golden");
const dir = mkdtempSync(join(tmpdir(), "framework-infra-renovate-"));
try {
  writeFileSync(join(dir, "package.json"), '{ "private": true }\n');
  console.log(`installing ${RENOVATE}`);
  const flags = ["--ignore-scripts", "--omit=optional", "--legacy-peer-deps", "--no-audit", "--no-fund", "--silent"];
  execFileSync("npm", ["install", RENOVATE, ...flags], { cwd: dir, stdio: "inherit" });
  const { extractPackageFile } = createRequire(join(dir, "package.json"))(
    "renovate/dist/modules/manager/docker-compose",
  );
  const found = (text) =>
    (extractPackageFile(text, "compose.yaml", {})?.deps ?? []).map(
      ({ depName, currentValue, currentDigest, skipReason }) =>
        skipReason ?? `${depName}:${currentValue}${currentDigest === undefined ? "" : `@${currentDigest}`}`,
    );
  let images = 0;
  const problems = [];
  const cases = readdirSync(golden, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of cases) {
    const text = readFileSync(join(golden, name, "compose.yaml"), "utf8");
    // The same with a digest behind each tag, as `images: digest` writes it.
    for (const each of [text, text.replaceAll(/^( {4}image: \$\{[A-Z_]+:-[^}@]+)\}$/gm, `$1${DIGEST}}`)]) {
      const expected = Object.values(parse(each).services).map(({ image }) =>
        image.replace(/^\$\{[A-Z_]+:-(.*)\}$/, "$1"),
      );
      const actual = found(each);
      images += expected.length;
      for (const image of expected) if (!actual.includes(image)) problems.push(`${name}: ${image} was not found`);
      if (actual.length !== expected.length) problems.push(`${name}: ${actual.length} found of ${expected.length}`);
    }
  }
  // The check can fail: two levels of variables are passed over.
  const two = "services:\n  a:\n    image: ${A_IMAGE:-${REGISTRY:-}postgres:15}\n";
  if (found(two).join() !== "contains-variable") problems.push(`two levels of variables: ${found(two).join()}`);
  for (const problem of problems) console.error(problem);
  console.log(
    `${String(images)} images in ${String(cases.length)} directories, each with and without digests: ${problems.length === 0 ? "all found" : "NOT all found"}`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
