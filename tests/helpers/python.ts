import { spawnSync } from "node:child_process";

/** A Python that has these modules; undefined when there is none. */
export function pythonWith(...modules: string[]): string | undefined {
  return ["python3", "/usr/bin/python3"].find(
    (python) => spawnSync(python, ["-c", ["pass", ...modules.map((name) => `import ${name}`)].join("\n")]).status === 0,
  );
}
