// Builds dist/: one bundle a command (lazy imports become chunks), and what can be computed before the
// program runs: compiled templates and checked manifests, keyed by the sha256 of their text. A file that
// is edited afterwards has another digest and is compiled and checked at run time.
import { build } from "esbuild";
import Handlebars from "handlebars";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(root, "dist");
// Built aside and swapped in by two renames: a build that fails leaves the old one.
const staging = mkdtempSync(join(root, "dist-"));

const shared = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  minify: true,
  legalComments: "linked",
  alias: {
    "@inquirer/external-editor": join(root, "scripts", "no-editor.js"),
    "external-editor": join(root, "scripts", "no-editor.js"),
    // For Node its package offers CommonJS alone, which is taken and run whole; of its modules the prompts need a few.
    rxjs: createRequire(import.meta.resolve("inquirer"))
      .resolve("rxjs")
      .replace(/([\\/])cjs([\\/]index\.js)$/, "$1esm$2"),
  },
  absWorkingDir: root,
  logLevel: "warning",
  // Some bundled CommonJS packages call require() for Node's own modules.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
};

try {
  // The schemas and the compile options come from the sources themselves, so the two cannot differ.
  await build({ ...shared, entryPoints: { prebuild: "scripts/prebuild.ts" }, outdir: staging, minify: false });
  const { COMPILE_OPTIONS, checkers } = await import(pathToFileURL(join(staging, "prebuild.js")).href);
  rmSync(join(staging, "prebuild.js"));

  const compiled = [];
  const checked = [];
  for (const path of files(join(root, "templates"), "")) {
    const source = readFileSync(join(root, "templates", path), "utf8");
    const digest = createHash("sha256").update(source).digest("hex");
    if (path.endsWith(".hbs"))
      compiled.push(`[${JSON.stringify(digest)},${Handlebars.precompile(source, COMPILE_OPTIONS)}]`);
    else if (checkers[kind(path)] !== undefined)
      checked.push(`[${JSON.stringify(digest)},${JSON.stringify(checkers[kind(path)](source, path))}]`);
  }
  const prebuilt = join(staging, "prebuilt-source.js");
  writeFileSync(
    prebuilt,
    `export const precompiled=new Map([${compiled.join(",\n")}]);\nexport const prechecked=new Map([${checked.join(",\n")}]);\n`,
  );
  const entry = join(staging, "entry-source.js");
  writeFileSync(
    entry,
    `import { start as run } from ${JSON.stringify(join(root, "src/main.ts"))};\nimport { precompiled, prechecked } from "./prebuilt-source.js";\nexport const start = (args, packageRoot) => run(args, packageRoot, { precompiled, prechecked });\n`,
  );
  await build({
    ...shared,
    entryPoints: { main: entry },
    outdir: staging,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
  });
  rmSync(prebuilt);
  rmSync(entry);
  chmodSync(staging, 0o755);
  const old = `${staging}-old`;
  if (existsSync(target)) renameSync(target, old);
  renameSync(staging, target);
  rmSync(old, { recursive: true, force: true });
} catch (error) {
  rmSync(staging, { recursive: true, force: true });
  throw error;
}

function files(folder, below) {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? files(folder, `${below}${entry.name}/`) : [`${below}${entry.name}`]))
    .sort();
}

function kind(path) {
  if (/^services\/[^/]+\/service\.yaml$/.test(path)) return "service";
  if (/^presets\/[^/]+\.yaml$/.test(path)) return "preset";
  return path === "framework/env.yaml" ? "common" : "none";
}
