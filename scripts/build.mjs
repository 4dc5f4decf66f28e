// Builds dist/: the program in one file, packages that are not always needed in files of their own, and what can be
// computed before the program runs: compiled templates and checked manifests, each with the text that it was made from.
// A file that is edited afterwards has another text and is compiled and checked at run time.
import { build } from "esbuild";
import Handlebars from "handlebars";
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(root, "dist");
// Built aside and swapped in by two renames: a build that fails leaves the old one.
const staging = mkdtempSync(join(root, "dist-"));

const shared = {
  bundle: true,
  platform: "node",
  target: "node20",
  // CommonJS starts faster than ES modules: one file is read and compiled, and nothing is resolved.
  format: "cjs",
  minify: true,
  legalComments: "linked",
  absWorkingDir: root,
  logLevel: "warning",
};

// Packages that not every command needs, each in a file of its own that is loaded when it is asked for. Those of one
// file share what they depend on.
const VENDORS = {
  yaml: ["yaml"],
  diff: ["diff"],
  compiler: ["handlebars"],
  ask: ["node-plop"],
  database: ["pg"],
};

const REPLACED = {
  // Checks of arguments that are ours; loading it takes longer than taking the lock.
  assert: join(root, "scripts", "no-assert.cjs"),
  "graceful-fs": join(root, "scripts", "plain-fs.cjs"),
  // For Node its package offers CommonJS alone, which is taken and run whole; of its modules the prompts need a few.
  rxjs: createRequire(import.meta.resolve("inquirer"))
    .resolve("rxjs")
    .replace(/([\\/])cjs([\\/]index\.js)$/, "$1esm$2"),
};

/** Of fs-extra, only what is used: loading all of it costs as much time as a small command. */
const fewOfFsExtra = {
  name: "fs-extra",
  setup(builder) {
    const folder = dirname(createRequire(import.meta.url).resolve("fs-extra/esm"));
    builder.onResolve({ filter: /^fs-extra\/esm$/ }, () => ({ path: join(folder, "esm.mjs"), namespace: "few" }));
    builder.onLoad({ filter: /./, namespace: "few" }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const from = new Map([...text.matchAll(/^import (\w+) from '([^']+)'/gm)].map(([, name, file]) => [name, file]));
      const exported = [...text.matchAll(/^export const (\w+) = (\w+)\.\1$/gm)];
      const lines = exported.map(
        ([, name, module]) => `export { ${name} } from ${JSON.stringify(join(folder, from.get(module)))};`,
      );
      return { contents: lines.join("\n"), resolveDir: folder };
    });
    builder.onResolve({ filter: /./, namespace: "few" }, ({ path }) => ({ path, sideEffects: false }));
  },
};

// Of what the prompts bring along, see scripts/left-out.cjs; and Handlebars without its compiler.
const LEFT_OUT = ["@inquirer/external-editor", "external-editor", "isbinaryfile", "resolve", "tinyglobby"];
const FOR_PROMPTS = {
  ...Object.fromEntries(LEFT_OUT.map((name) => [name, join(root, "scripts", "left-out.cjs")])),
  handlebars: createRequire(import.meta.url).resolve("handlebars/runtime.js"),
};

// Modules of Node that take milliseconds to load and that many commands never use.
const LAZY = /^node:(?:child_process|crypto)$/;

/** Loads a module of Node when something of it is used for the first time, not when it is imported. */
const lazyBuiltins = {
  name: "lazy-builtins",
  setup(builder) {
    builder.onResolve({ filter: LAZY }, ({ path, namespace }) =>
      namespace === "lazy" ? { path, external: true } : { path, namespace: "lazy" },
    );
    builder.onLoad({ filter: LAZY, namespace: "lazy" }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path));
      const getters = names.map(
        (name) => `get ${name}() { return (loaded ??= require(${JSON.stringify(path)})).${name}; },`,
      );
      return { contents: `let loaded;\nmodule.exports = {\n${getters.join("\n")}\n};` };
    });
  },
};

/** Takes the packages of VENDORS from their own files. */
const fromVendors = {
  name: "vendors",
  setup(builder) {
    for (const [file, packages] of Object.entries(VENDORS)) {
      for (const name of packages) {
        builder.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: "vendor" }));
        builder.onLoad({ filter: new RegExp(`^${name}$`), namespace: "vendor" }, () => ({
          contents: `module.exports = require("./vendor/${file}.js")[${JSON.stringify(name)}];`,
        }));
      }
    }
    builder.onResolve({ filter: /^\.\/vendor\// }, ({ path }) => ({ path, external: true }));
  },
};

/** A vendor's file: the packages by their names, each as an import of it sees it: an ES module by its default. */
function vendorSource(packages) {
  const lines = packages.map((name) => `[${JSON.stringify(name)}, require(${JSON.stringify(name)})],`);
  return `for (const [name, found] of [${lines.join("\n")}])
  module.exports[name] = found.__esModule && "default" in found ? found.default : found;`;
}

try {
  // The schemas and the compile options come from the sources themselves, so the two cannot differ.
  await build({
    ...shared,
    entryPoints: { prebuild: "scripts/prebuild.ts" },
    outdir: staging,
    outExtension: { ".js": ".cjs" },
    minify: false,
  });
  const { COMPILE_OPTIONS, checkers, loadCatalogue, templatesDigest } = createRequire(import.meta.url)(
    join(staging, "prebuild.cjs"),
  );
  rmSync(join(staging, "prebuild.cjs"));

  // Rules that need all of the catalogue at once.
  const { templates } = await loadCatalogue(join(root, "templates"));
  /** What can be made of a file before the program runs, as a property; undefined for one that is only copied. */
  const madeOf = (path, source) => {
    if (path.endsWith(".hbs")) return `compiled:${Handlebars.precompile(source, COMPILE_OPTIONS)}`;
    const check = checkers[kind(path)];
    return check === undefined ? undefined : `checked:${JSON.stringify(check(source, path))}`;
  };
  const prebuilt = [];
  for (const path of templates.keys()) {
    const source = readFileSync(join(root, "templates", path), "utf8");
    const made = madeOf(path, source);
    prebuilt.push(
      `[${JSON.stringify(path)},{source:${JSON.stringify(source)}${made === undefined ? "" : `,${made}`}}]`,
    );
  }
  const digest = templatesDigest(templates);
  const entry = `import { start as run } from ${JSON.stringify(join(root, "src/main.ts"))};
const prebuilt = { files: new Map([${prebuilt.join(",\n")}]), digest: ${JSON.stringify(digest)} };
export const start = (args, packageRoot) => run(args, packageRoot, prebuilt);
`;
  await build({
    ...shared,
    stdin: { contents: entry, resolveDir: root, loader: "js" },
    plugins: [fromVendors, fewOfFsExtra, lazyBuiltins],
    alias: REPLACED,
    outfile: join(staging, "main.js"),
  });
  for (const [file, packages] of Object.entries(VENDORS)) {
    await build({
      ...shared,
      stdin: { contents: vendorSource(packages), resolveDir: root, loader: "js" },
      alias: { ...REPLACED, ...(file === "ask" ? FOR_PROMPTS : {}) },
      // Of pg: its client in C, and the platform that it is not for.
      external: ["pg-native", "cloudflare:sockets"],
      // Of ES modules that ask where they are.
      define: { "import.meta.url": "__url" },
      banner: { js: 'const __url=require("node:url").pathToFileURL(__filename).href;' },
      outfile: join(staging, "vendor", `${file}.js`),
    });
  }
  writeFileSync(join(staging, "package.json"), '{ "type": "commonjs" }\n');
  chmodSync(staging, 0o755);
  const old = `${staging}-old`;
  if (existsSync(target)) renameSync(target, old);
  renameSync(staging, target);
  rmSync(old, { recursive: true, force: true });
} catch (error) {
  rmSync(staging, { recursive: true, force: true });
  throw error;
}

function kind(path) {
  if (/^services\/[^/]+\/service\.yaml$/.test(path)) return "service";
  if (/^presets\/[^/]+\.yaml$/.test(path)) return "preset";
  return path === "framework/env.yaml" ? "common" : "none";
}
