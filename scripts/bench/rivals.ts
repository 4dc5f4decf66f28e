import { spawnSync } from "node:child_process";
import fs from "fs-extra";
import { join } from "node:path";

/**
 * Vanilla Plop and hygen, set up to write as many files of the same length as `new-framework` does:
 * plain templates, no questions, nothing else. That is what a user would have to wait for with them.
 */
export interface Rivals {
  /** Folder with a plopfile and a hygen generator. */
  dir: string;
  hygen: string;
}

// The last release; it is a tool to compare with, so it is not among the project's dependencies.
const HYGEN = "hygen@6.2.11";

/** @param files text length by path, of the directory that `new-framework` makes */
export function setUpRivals(dir: string, project: string, files: ReadonlyMap<string, number>): Rivals {
  const templates = join(dir, "plop-templates");
  const hygen = join(dir, "_templates", "stack", "new");
  for (const [path, length] of files) {
    const name = path.replaceAll(/(^|\/)\./g, "$1dot-");
    const body = `{{name}} ${"x".repeat(60)}\n`.repeat(Math.ceil(length / 68));
    fs.outputFileSync(join(templates, `${name}.hbs`), body);
    const text = body.replaceAll("{{name}}", "<%= name %>");
    fs.outputFileSync(join(hygen, `${name.replaceAll("/", "__")}.ejs.t`), `---\nto: <%= root %>/${name}\n---\n${text}`);
  }
  fs.writeFileSync(
    join(dir, "plopfile.mjs"),
    `export default (plop) => plop.setGenerator("stack", { prompts: [{ name: "root" }, { name: "name" }],
  actions: [{ type: "addMany", destination: "{{root}}", base: "plop-templates", templateFiles: "plop-templates/**/*.hbs", globOptions: { dot: true }, abortOnFail: true }] });\n`,
  );
  fs.writeJsonSync(join(dir, "package.json"), {
    private: true,
    type: "module",
    scripts: { plop: `node ${join(project, "node_modules/plop/bin/plop.js")} --plopfile plopfile.mjs stack` },
  });
  fs.ensureSymlinkSync(join(project, "node_modules"), join(dir, "node_modules"));
  const tools = join(dir, "tools");
  fs.ensureDirSync(tools);
  const { status, stderr } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--prefix", tools, HYGEN], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${HYGEN} cannot be installed: ${stderr}`);
  return { dir, hygen: join(tools, "node_modules/hygen/dist/bin.js") };
}
