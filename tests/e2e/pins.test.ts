import fs from "fs-extra";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { cli } from "../helpers/cli.ts";
import { Workspace } from "../helpers/project-dir.ts";

const SERVICE = "services/qdrant/service.yaml";
const PINNED = /qdrant\/qdrant:(v[\d.]+-unprivileged)/;
const bumped = (tag: string) => (text: string) => text.replace(PINNED, `qdrant/qdrant:${tag}`);

function images(work: Workspace, folder = "crewai"): Record<string, string> {
  const { services } = parse(work.read(`${folder}/compose.yaml`)) as { services: Record<string, { image: string }> };
  return Object.fromEntries(Object.entries(services).map(([name, { image }]) => [name, image]));
}

/** An engine that has the images named, each with a digest. */
function engine(work: Workspace, digests: Record<string, string>): NodeJS.ProcessEnv {
  const bin = join(work.cwd, "bin");
  const cases = Object.entries(digests).map(
    ([image, digest]) => `*" ${image}") echo ${image.replace(/:[^:/]*$/, "")}@sha256:${digest.repeat(64)};;`,
  );
  const script = `#!/bin/sh\ncase "$*" in\nversion*) echo 28;;\n${cases.join("\n")}\n*) exit 1;;\nesac\n`;
  fs.outputFileSync(join(bin, "docker"), script, { mode: 0o755 });
  return { PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` };
}

describe("a registry mirror", () => {
  it("is in every default image, from framework.yaml or an answers file, on one level", async () => {
    const work = new Workspace();
    fs.writeFileSync(join(work.cwd, "answers.yaml"), "name: crewai\nregistry: mirror.example:5000/hub\n");
    await work.ok("new-framework", "--answers", "answers.yaml");
    for (const image of Object.values(images(work)))
      expect(image).toMatch(/^\$\{[A-Z_]+_IMAGE:-mirror\.example:5000\/hub\/[^${}]+:[^${}]+\}$/);
    expect(work.read("crewai/framework.yaml")).toContain('registry: "mirror.example:5000/hub"');
    expect(await work.ok("regenerate")).toContain("nothing to do");
    for (const registry of ["Mirror/x", "mirror", "mirror.example/", "a.b/c d", "a.b/${X}"]) {
      work.edit("crewai/framework.yaml", /^registry: .*$/m, `registry: "${registry}"`);
      const { code, stderr } = await work.run("regenerate");
      expect([registry, code, stderr]).toEqual([
        registry,
        2,
        expect.stringContaining("a registry such as mirror.example"),
      ]);
    }
  });

  it("moves from .env to framework.yaml, with a note, and is asked for before a service is added", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    work.edit(
      "crewai/.env",
      "BIND_ADDRESS=127.0.0.1\n",
      "BIND_ADDRESS=127.0.0.1\nIMAGE_REGISTRY=mirror.example/hub/\n",
    );
    const early = await work.run("add-service", "postgres");
    expect([early.code, early.stderr]).toEqual([
      2,
      expect.stringContaining("IMAGE_REGISTRY, which is registry in framework.yaml now"),
    ]);
    expect((await work.run("regenerate", "--check")).code).toBe(0);
    const printed = await work.ok("regenerate");
    expect(printed).toContain("IMAGE_REGISTRY of crewai/.env is now registry: mirror.example/hub in framework.yaml");
    expect(images(work)["qdrant"]).toMatch(/^\$\{QDRANT_IMAGE:-mirror\.example\/hub\/qdrant\/qdrant:/);
    expect(work.read("crewai/.env")).not.toContain("IMAGE_REGISTRY");
    expect(await work.ok("regenerate")).toContain("nothing to do");
    await work.ok("add-service", "postgres");
    expect(images(work)["postgres"]).toContain("mirror.example/hub/postgres:");
  });
});

describe("images: digest", () => {
  it("records what the engine has, keeps it while the tag is the same, and says what is open", async () => {
    const work = await new Workspace().make("crewai", "qdrant,postgres", "--images", "digest");
    const tag = PINNED.exec(images(work)["qdrant"] ?? "")?.[1] ?? "";
    const qdrant = `qdrant/qdrant:${tag}`;
    const none = await cli(["regenerate", "--digests"], { cwd: work.cwd, env: { PATH: "/nowhere" } });
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("no container engine answers")]);
    const env = engine(work, { [qdrant]: "a" });
    const { code, stdout, stderr } = await cli(["regenerate", "--digests"], { cwd: work.cwd, env });
    expect([code, stdout]).toEqual([0, expect.stringContaining("update    framework.yaml")]);
    expect(stderr).toContain("crewai: digests recorded: qdrant");
    expect(stderr).toMatch(/postgres:\S+ is not on this engine: docker pull '?postgres:/);
    expect(stderr).toContain("no digest is recorded for the image of postgres, so its tag counts");
    const digest = `${qdrant}@sha256:${"a".repeat(64)}`;
    expect(images(work)["qdrant"]).toBe(`\${QDRANT_IMAGE:-${digest}}`);
    expect(work.read("crewai/.env.template")).toContain(`# QDRANT_IMAGE=${digest}`);
    expect(work.read("crewai/framework.yaml")).toContain(`qdrant: ${digest}`);
    expect(await work.ok("regenerate")).toContain("nothing to do");
    // A digest of another version is none.
    const newer = work.newer({ [SERVICE]: bumped("v1.20.0-unprivileged") });
    const printed = await work.ok("regenerate", "--templates", newer);
    expect(images(work)["qdrant"]).toBe("${QDRANT_IMAGE:-qdrant/qdrant:v1.20.0-unprivileged}");
    expect(printed).toContain("no digest is recorded for the image of postgres, qdrant");
    const pinned = await new Workspace().make("dspy", "qdrant");
    expect(await pinned.ok("regenerate", "--digests")).toContain("framework.yaml does not say images: digest");
  });
});

describe("a tag that an update bot bumped", () => {
  const bump = (work: Workspace, tag: string): void => {
    work.edit("crewai/compose.yaml", PINNED, `qdrant/qdrant:${tag}`);
  };

  it("meets the next update of the templates: the newer one counts", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    bump(work, "v1.19.3-unprivileged");
    await work.ok("regenerate", "--templates", work.newer({ [SERVICE]: bumped("v1.19.1-unprivileged") }));
    expect(images(work)["qdrant"]).toBe("${QDRANT_IMAGE:-qdrant/qdrant:v1.19.3-unprivileged}");
    const newest = work.newer({ [SERVICE]: bumped("v1.20.0-unprivileged") }, "newest");
    expect(await work.ok("regenerate", "--templates", newest)).toContain("merge     compose.yaml");
    expect(images(work)["qdrant"]).toBe("${QDRANT_IMAGE:-qdrant/qdrant:v1.20.0-unprivileged}");
  });

  it("is a conflict where nobody can say which is newer, or the step is too large", async () => {
    for (const [tag, expected, said] of [
      ["v1.19.3", 4, "services.qdrant.image"],
      // Taking what is offered would start a version that cannot read the data.
      ["v1.21.0-unprivileged", 1, "and the data would not follow"],
    ] as const) {
      const work = await new Workspace().make("crewai", "qdrant");
      bump(work, tag);
      const templates = work.newer({ [SERVICE]: bumped("v1.19.1-unprivileged") });
      const { code, stdout, stderr } = await work.run("regenerate", "--templates", templates);
      expect([tag, code, stdout + stderr]).toEqual([tag, expected, expect.stringContaining(said)]);
      expect(images(work)["qdrant"]).toContain(tag);
    }
  });
});

describe("what made a directory", () => {
  const state = (work: Workspace): Record<string, unknown> =>
    JSON.parse(work.read("crewai/.scaffold/state.json")) as Record<string, unknown>;
  const version = (fs.readJsonSync(new URL("../../package.json", import.meta.url)) as { version: string }).version;
  const README = "framework/emit/README.md.hbs";
  const COMMANDS = [
    ["regenerate"],
    ["regenerate", "--check"],
    ["add-service", "postgres"],
    ["regenerate", "--dry-run"],
  ];

  it("is recorded: the program's version and the templates", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    expect(state(work)).toEqual({
      schemaVersion: 1,
      program: version,
      templates: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const same = work.newer({}, "copy");
    await work.ok("add-service", "postgres", "--templates", same);
    expect(state(work)).not.toHaveProperty("ownTemplates");
  });

  it("is never taken back by an older version without being told to", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    work.edit("crewai/.scaffold/state.json", `"program": "${version}"`, '"program": "9.10.0"');
    work.edit("crewai/framework.yaml", "profile: small", "profile: medium");
    const before = work.read("crewai/compose.yaml");
    for (const command of COMMANDS) {
      const { code, stderr } = await work.run(...command);
      expect([command, code, stderr]).toEqual([
        command,
        command.includes("add-service") ? code : 1,
        expect.stringMatching(/was made by framework-infra 9\.10\.0|was edited and not generated/),
      ]);
      expect(code).not.toBe(0);
    }
    expect(await work.ok("status")).toContain(
      "regenerate would refuse: frameworks/crewai was made by framework-infra 9.10.0",
    );
    expect(work.read("crewai/compose.yaml")).toBe(before);
    await work.ok("regenerate", "--allow-downgrade");
    expect([state(work)["program"], work.read("crewai/compose.yaml") === before]).toEqual([version, false]);
  });

  it("is not rolled back where --templates is forgotten", async () => {
    const work = new Workspace();
    const own = work.newer({ [README]: (text) => `# Of our own\n${text}` });
    await work.make("crewai", "qdrant", "--templates", own);
    expect(state(work)).toMatchObject({ ownTemplates: true });
    for (const command of COMMANDS.filter(([name]) => name === "regenerate")) {
      const { code, stderr } = await work.run(...command);
      expect([command, code, stderr]).toEqual([
        command,
        1,
        expect.stringContaining("was made with templates of your own"),
      ]);
      expect(stderr).toContain("hint: add --templates DIR");
    }
    expect(await work.ok("regenerate", "--templates", own)).toContain("nothing to do");
    // One service alone takes nothing back: it is said, and what made the directory is still known.
    expect(await work.ok("add-service", "postgres")).toContain("crewai: made with templates of your own; this change");
    expect([state(work)["ownTemplates"], work.read("crewai/README.md").includes("Of our own")]).toEqual([true, true]);
    expect((await work.run("regenerate")).code).toBe(1);
    await work.ok("regenerate", "--allow-downgrade");
    expect(work.read("crewai/README.md")).not.toContain("Of our own");
    expect(state(work)).not.toHaveProperty("ownTemplates");
  });

  it("is said to be unknown for a directory from before, and recorded with the next change", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    work.write("crewai/.scaffold/state.json", '{\n  "schemaVersion": 1\n}\n');
    expect(await work.ok("regenerate")).toContain("nothing to do");
    expect(state(work)).toEqual({ schemaVersion: 1 });
    const printed = await work.ok("add-service", "postgres");
    expect(printed).toContain("crewai: made by a version that did not record itself");
    expect(state(work)).toMatchObject({ program: version });
  });

  it("is the newer of two branches that git could not merge", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    const text = work.read("crewai/.scaffold/state.json");
    const lines = text.split("\n");
    const at = lines.findIndex((line) => line.includes('"program"'));
    const theirs = (lines[at] ?? "").replace(version, "9.9.9");
    lines.splice(at, 1, "<<<<<<< HEAD", lines[at] ?? "", "=======", theirs, ">>>>>>> theirs");
    work.write("crewai/.scaffold/state.json", lines.join("\n"));
    const { code, stderr } = await work.run("regenerate");
    expect([code, stderr]).toEqual([1, expect.stringContaining("was made by framework-infra 9.9.9")]);
    work.edit("crewai/.scaffold/state.json", "9.9.9", "0.0.1");
    await work.ok("add-service", "postgres");
    expect(state(work)).toMatchObject({ program: version });
  });
});
