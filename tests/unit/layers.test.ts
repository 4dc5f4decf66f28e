import fs from "fs-extra";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

import { PROJECT } from "../helpers/project.ts";

// The road runs one way: spec -> render -> plan -> apply. What a folder may import, besides itself.
const MAY_IMPORT: Record<string, readonly string[]> = {
  spec: ["catalogue", "errors.ts"],
  catalogue: ["spec", "errors.ts", "digest.ts", "once.ts"],
  ports: ["catalogue", "spec", "errors.ts"],
  render: ["catalogue", "spec", "digest.ts", "errors.ts", "once.ts"],
  plan: ["catalogue", "render", "spec", "errors.ts", "digest.ts", "once.ts"],
  report: ["catalogue", "spec", "plan", "ports", "render"],
  probe: ["catalogue", "spec", "ports", "plan", "errors.ts", "digest.ts"],
  apply: ["plan", "render", "errors.ts", "digest.ts"],
};
const PURE = ["spec", "ports", "render", "plan", "report"];
const IMPURE_MODULES =
  /^(?:node:)?(?:fs|fs\/promises|fs-extra|child_process|net|dgram|http|https|os|process|worker_threads|timers)(?:\/|$)/;

interface Import {
  from: string;
  what: string;
}

function imports(folder: string): Import[] {
  return fs
    .readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) => {
      const file = join(PROJECT, folder, path);
      const text = fs.readFileSync(file, "utf8");
      const found = [...text.matchAll(/(?:\bfrom\s+|\bimport\(|^import\s+)"([^"]+)"/gm)].map((match) => match[1] ?? "");
      return found.map((what) => ({
        from: relative(PROJECT, file),
        what: what.startsWith(".") ? relative(PROJECT, join(dirname(file), what)) : what,
      }));
    });
}

describe("the folders of src/", () => {
  it.each(Object.entries(MAY_IMPORT))("%s imports only what lies before it on the road", (folder, allowed) => {
    const wrong = imports(`src/${folder}`)
      .filter(({ what }) => what.startsWith("src/") || what.startsWith("generators/"))
      .filter(({ what }) => {
        const [, target = ""] = what.split("/");
        return target !== folder && !allowed.includes(target);
      });
    expect(wrong).toEqual([]);
  });

  it.each(PURE)("%s is pure: no file system, process, network or operating system", (folder) => {
    expect(imports(`src/${folder}`).filter(({ what }) => IMPURE_MODULES.test(what))).toEqual([]);
  });

  it("only apply can write: the others import nothing of the file system but what reads", () => {
    const reading = new Set([
      // Numbers, such as the flag that keeps a read from waiting.
      "constants",
      "existsSync",
      "lstatSync",
      "readdirSync",
      "readFileSync",
      "realpathSync",
      "statSync",
      "Dirent",
    ]);
    const found = ["src", "generators"].flatMap((folder) =>
      fs
        .readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts") && !path.startsWith("apply/"))
        .flatMap((path) => {
          const text = fs.readFileSync(join(PROJECT, folder, path), "utf8");
          const whole = [...text.matchAll(/"(?:node:)?(?:fs\/promises|fs-extra)"|import \w+ from "(?:node:)?fs"/g)].map(
            (match) => match[0],
          );
          const named = [...text.matchAll(/import \{([^}]*)\} from "(?:node:)?fs"/g)].flatMap((match) =>
            (match[1] ?? "").split(","),
          );
          const names = named
            .map((name) => name.trim().replace(/^type /, ""))
            .filter((name) => name !== "" && !reading.has(name));
          return [...whole, ...names].map((name) => `${folder}/${path}: ${name}`);
        }),
    );
    expect(found).toEqual([]);
  });

  it("loads inquirer and Plop only from the generators, and those only when it must ask", () => {
    const asking = /^(?:inquirer|@inquirer\/|plop|node-plop)/;
    expect(imports("src").filter(({ what }) => asking.test(what))).toEqual([]);
    const text = fs.readFileSync(join(PROJECT, "src/commands/new-framework.ts"), "utf8");
    expect(text).toContain('await import("../../generators/host.ts")');
    expect(text).not.toMatch(/^import .*generators/m);
  });

  it("names no service outside the catalogue", async () => {
    const ids = fs.readdirSync(join(PROJECT, "templates/services"));
    expect(ids.length).toBeGreaterThan(3);
    // `langfuse` is a key of framework.yaml by contract; src/spec/ and what reads that key may say it.
    const other = ids.filter((id) => id !== "langfuse");
    const found = fs
      .readdirSync(join(PROJECT, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .filter((path) => {
        const code = fs
          .readFileSync(join(PROJECT, "src", path), "utf8")
          .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")
          // Help texts, hints and the port document show examples.
          .replaceAll(/`[\s\S]*?`|"for example[^"]*"/g, "");
        return other.some((id) => new RegExp(`\\b${id}\\b`).test(code));
      });
    expect(found).toEqual([]);
  });
});
