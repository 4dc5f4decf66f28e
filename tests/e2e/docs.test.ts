import fs from "fs-extra";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { cli } from "../helpers/cli.ts";
import { PROJECT, TEMPLATES } from "../helpers/project.ts";
import { tempDir } from "../helpers/temp.ts";
import { needTablePorts } from "../helpers/table-ports.ts";

await needTablePorts();

const DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/live/images/README.md"].concat(
  fs
    .readdirSync(join(PROJECT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path}`),
);

const read = (path: string): string => fs.readFileSync(join(PROJECT, path), "utf8");

describe.each(DOCUMENTS)("%s", (document) => {
  it("links only to what is there", () => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map((match) => match[1] ?? "");
    const broken = links.filter((link) => !fs.existsSync(join(PROJECT, dirname(document), link)));
    expect(broken).toEqual([]);
  });

  it("names only files of the project that are there", () => {
    const named = [
      ...read(document).matchAll(/`((?:src|tests|templates|docs|schema|generators|scripts|\.ci)\/[\w./{},-]*)`/g),
    ].flatMap((match) => braces(match[1] ?? ""));
    // Of the project, or of the directory that it makes.
    const isThere = (path: string): boolean =>
      [PROJECT, join(PROJECT, "tests/golden/crewai")].some((dir) => fs.existsSync(join(dir, path)));
    expect(named.filter((path) => !path.includes("<") && !isThere(path))).toEqual([]);
  });
});

/** `a/{b,c}` names two files. */
function braces(path: string): string[] {
  const match = /^(.*)\{([^}]*)\}(.*)$/.exec(path);
  if (match === null) return [path];
  return (match[2] ?? "").split(",").map((part) => `${match[1] ?? ""}${part}${match[3] ?? ""}`);
}

describe("the README's commands", () => {
  it("work as they stand", async () => {
    const block = /```sh\n(# Without Langfuse[\s\S]*?)```/.exec(read("README.md"))?.[1] ?? "";
    const commands = block.split("\n").filter((line) => line.startsWith("npm run new-framework -- "));
    expect(commands).toHaveLength(3);
    const cwd = tempDir();
    for (const command of commands) {
      const args = command.replace("npm run new-framework -- ", "").split(" ");
      const { code, stderr } = await cli(["new-framework", ...args], { cwd });
      expect([command, code, stderr]).toEqual([command, 0, expect.not.stringContaining("error")]);
    }
    expect(fs.readdirSync(join(cwd, "frameworks")).toSorted()).toEqual(["PORT_ALLOCATION.md", "dspy", "my-agents"]);
  });
});

describe("docs/writing-a-service.md", () => {
  it("has a service and a preset that work as they stand", async () => {
    const [manifest = "", fragment = "", probes = "", measures = "", preset = ""] = [
      ...read("docs/writing-a-service.md").matchAll(/```yaml\n([\s\S]*?)```/g),
    ].map((match) => match[1]);
    const cwd = tempDir();
    const templates = join(cwd, "my-templates");
    fs.copySync(TEMPLATES, templates);
    fs.outputFileSync(join(templates, "services/mailpit/service.yaml"), `${manifest}${probes}${measures}`);
    fs.outputFileSync(join(templates, "services/mailpit/compose.yaml.hbs"), fragment);
    fs.outputFileSync(join(templates, "presets/smolagents.yaml"), preset);
    const { code, stderr } = await cli(
      ["new-framework", "smolagents", "--yes", "--services", "mailpit", "--templates", "my-templates"],
      { cwd },
    );
    expect([code, stderr]).toEqual([0, ""]);
    const dir = join(cwd, "frameworks/smolagents");
    expect(fs.readFileSync(join(dir, "compose.yaml"), "utf8")).toContain(
      '"${BIND_ADDRESS:-127.0.0.1}:${MAILPIT_PORT:?set it in .env}:8025"',
    );
    expect(fs.readFileSync(join(dir, ".env"), "utf8")).toMatch(
      /MAILPIT_PORT=8030\n[\s\S]*MAILPIT_PASSWORD=[0-9a-f]{64}\n/,
    );
    expect(fs.readFileSync(join(dir, "examples/connect.py"), "utf8")).toContain('print("smolagents:", Tool.__name__)');
  });
});
