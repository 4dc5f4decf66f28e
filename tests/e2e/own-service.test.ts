import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { run } from "../helpers/cli.ts";
import { Workspace } from "../helpers/project-dir.ts";

const FILES: Record<string, string> = {
  "service.yaml": `schemaVersion: 1
id: phoenix
title: Phoenix
summary: traces
offer: choice
port: { variable: PHOENIX_PORT, base: 6006, last: 6066, container: 6006, url: "http://localhost:{{port}}" }
containers:
  - name: phoenix
    variable: PHOENIX
    image: { pinned: "arize/phoenix:1.0", latest: "arize/phoenix:latest" }
    limits:
      small: { memory: 1g, cpus: "1.0", pids: 64 }
      medium: { memory: 1g, cpus: "1.0", pids: 64 }
      large: { memory: 1g, cpus: "1.0", pids: 64 }
volumes:
  - { name: phoenix_data, holds: traces, saved: service }
  - { name: phoenix_cache, holds: pictures, notSaved: made again when it is needed }
env:
  - { name: PHOENIX_URL, class: managed, value: "http://localhost:\${PHOENIX_PORT}", description: Where it is. }
external:
  next: sign up there first
  env:
    - { name: PHOENIX_URL, class: managed, value: "{{externalHost}}", description: Where it is. }
`,
  "compose.yaml.hbs": `  phoenix:
    image: {{container.phoenix.image}}
    container_name: {{container.phoenix.containerName}}
    ports:
      - {{binding.phoenix}}
    volumes:
      - phoenix_data:/data
      - phoenix_cache:/cache
`,
  "emit/scripts/services/phoenix.sh": "# shellcheck shell=bash\nphoenix_save() { :; }\nphoenix_restore() { :; }\n",
  "emit/config/phoenix/seed": "#!/bin/sh\necho seeded\n",
  "emit/config/phoenix/{{#x}}.txt": "as it is: {{name}}\n",
  "emit/dot-phoenixrc.hbs": "framework = {{name}}\n",
  "parts/readme.hbs": "## Phoenix\n\nIt is at {{service.url}}.\n",
  "parts/connect.hbs": 'def phoenix(env):\n    return "port " + env["PHOENIX_PORT"]\n',
  "external/note.hbs": "Phoenix runs elsewhere: {{service.host}}.\n",
};

/** The built-in templates with one more service, which nothing but its own folder knows. */
function withPhoenix(work: Workspace): string {
  const folder = work.newer({}, "mine");
  for (const [path, text] of Object.entries(FILES))
    fs.outputFileSync(join(work.cwd, folder, "services/phoenix", path), text);
  return folder;
}

describe("a service of one's own, without a line of code", () => {
  it("brings files, parts, modes, variables and a port", async () => {
    const work = new Workspace();
    const templates = withPhoenix(work);
    await work.make("crewai", "qdrant,phoenix", "--templates", templates);
    expect(work.read("crewai/README.md")).toContain("## Phoenix\n\nIt is at http://localhost:6006.");
    expect(work.read("crewai/examples/connect.py")).toContain('def phoenix(env):\n    return "port "');
    expect(work.read("crewai/.phoenixrc")).toBe("framework = crewai\n");
    expect(work.read("crewai/config/phoenix/{{#x}}.txt")).toBe("as it is: {{name}}\n");
    // Its part of the backup scripts, which know of it from the manifest.
    expect(work.read("crewai/scripts/services/phoenix.sh")).toContain("phoenix_save");
    const stack = "STACK_DIR=/x; . scripts/lib/stack.sh; stack_services; volumes_of phoenix; containers_of phoenix";
    expect((await run("bash", ["-c", stack], { cwd: work.path("crewai") })).stdout).toBe(
      "phoenix\nqdrant\nphoenix_data service\nphoenix_cache none\nphoenix\n",
    );
    expect(work.read("crewai/README.md")).toContain("not the volume `phoenix_cache` of Phoenix: made again when");
    const mode = (path: string): number => fs.statSync(work.path(path)).mode & 0o777;
    expect([mode("crewai/config/phoenix/seed"), mode("crewai/.phoenixrc")]).toEqual([0o755, 0o644]);
    expect(work.read("crewai/framework.yaml")).toMatch(/^phoenix:\n {2}# .*\n {2}mode: dedicated$/m);
    expect(work.read("crewai/.env")).toContain("PHOENIX_URL=http://localhost:6006\n");
    expect(await work.ok("regenerate", "--templates", templates)).toBe("crewai: nothing to do\n");
  });

  it("can be used from outside: by flags, from a sibling, and in framework.yaml", async () => {
    const work = new Workspace();
    const templates = withPhoenix(work);
    await work.make("crewai", "phoenix", "--templates", templates);
    const flags = ["--yes", "--services", "qdrant,phoenix", "--templates", templates];
    const printed = await work.ok("new-framework", "dspy", ...flags, "--phoenix", "external");
    expect(printed).toContain("Phoenix: the one of crewai is used, http://localhost:6006");
    expect(printed).toContain("  # sign up there first\n");
    expect(work.read("dspy/README.md")).toContain("Phoenix runs elsewhere: http://localhost:6006.");
    expect(work.read("dspy/compose.yaml")).not.toContain("phoenix");
    expect(work.has("dspy/.phoenixrc")).toBe(false);
    work.edit("dspy/framework.yaml", "http://localhost:6006", "http://traces.example");
    await work.ok("regenerate", "dspy", "--templates", templates);
    expect(work.read("dspy/.env")).toContain("PHOENIX_URL=http://traces.example\n");
    await work.ok("new-framework", "other", ...flags, "--phoenix-host", "http://traces.example");
    expect(work.read("other/framework.yaml")).toContain('mode: external\n  host: "http://traces.example"');
    const help = await work.ok("new-framework", "--help", "--templates", templates);
    expect(help).toMatch(/--phoenix dedicated\|external +run Phoenix here/);
  });

  it("is refused where its id is a key of framework.yaml", async () => {
    const work = new Workspace();
    const folder = withPhoenix(work);
    fs.moveSync(join(work.cwd, folder, "services/phoenix"), join(work.cwd, folder, "services/logging"));
    const file = join(work.cwd, folder, "services/logging/service.yaml");
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("id: phoenix", "id: logging"));
    const { code, stderr } = await work.run("new-framework", "crewai", "--yes", "--templates", folder);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('"logging" is a key of framework.yaml or a flag already'),
    ]);
  });
});
