import fs from "fs-extra";
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { snapshot } from "../helpers/cli.ts";
import { Workspace } from "../helpers/project-dir.ts";

const README = "framework/emit/README.md.hbs";
const started = (text: string): string => text.replace("## Start and stop", "## Starting");

describe("what is pending", () => {
  it("stays pending in add-service and remove-service: a new template file, a deleted one, a lost base", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    fs.removeSync(work.path("crewai/.scaffold/base/config/logging.yaml.base"));
    const templates = work.newer({ "framework/emit/config/logging.yaml.hbs": (text) => `# New words.\n${text}` });
    fs.writeFileSync(join(work.cwd, templates, "framework/emit/NOTES.md"), "# Notes\n");
    fs.removeSync(join(work.cwd, templates, "framework/emit/DISASTER_RECOVERY.md.hbs"));
    await work.ok("add-service", "qdrant", "--templates", templates);
    expect([work.has("crewai/NOTES.md"), work.has("crewai/DISASTER_RECOVERY.md")]).toEqual([false, true]);
    const { code, stdout } = await work.run("regenerate", "--templates", templates);
    expect(stdout).toMatch(/conflict {2}config\/logging\.yaml/);
    expect([code, work.read("crewai/NOTES.md")]).toEqual([4, "# Notes\n"]);
    await work.ok("regenerate", "--theirs", "--templates", templates);
    expect(work.has("crewai/DISASTER_RECOVERY.md")).toBe(false);
  });

  it("is not lost behind an .incoming that somebody edits", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit("crewai/README.md", "## Start and stop", "## How we start it");
    expect((await work.run("regenerate", "--templates", work.newer({ [README]: started }))).code).toBe(4);
    fs.appendFileSync(work.path("crewai/README.md.incoming"), "note\n");
    const templates = work.newer({ [README]: (text) => text.replace("## Logging", "## Logging, version 3") });
    expect((await work.run("regenerate", "--templates", templates)).code).toBe(4);
    fs.moveSync(work.path("crewai/README.md.incoming"), work.path("crewai/README.md"), { overwrite: true });
    await work.ok("regenerate", "--templates", templates);
    expect(work.read("crewai/README.md")).toMatch(/## Starting[\s\S]*## Logging, version 3[\s\S]*note\n$/);
  });
});

describe("a directory that is not as it should be", () => {
  it("takes no orders from a journal that came with a framework's directory, and says that it is there", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    await work.make("evil", "postgres");
    const victim = join(work.cwd, "victim");
    fs.writeFileSync(victim, "mine");
    const entry = { path: "stolen", staged: "../../../../victim", mode: 511, before: null };
    work.write("evil/.scaffold/journal/journal.json", JSON.stringify({ schemaVersion: 1, entries: [entry] }));
    fs.outputFileSync(join(work.cwd, "outside/journal/data"), "mine");
    fs.ensureDirSync(work.path("linked"));
    fs.symlinkSync(join(work.cwd, "outside"), work.path("linked/.scaffold"));
    const printed = await work.ok("add-service", "qdrant", "crewai");
    expect(printed).toContain("frameworks/evil/.scaffold/journal is not used");
    expect(fs.readFileSync(victim, "utf8")).toBe("mine");
    expect(fs.existsSync(join(work.cwd, "outside/journal/data"))).toBe(true);
    expect(work.has("evil/stolen")).toBe(false);
  });

  it("refuses a journal of the root that was not written here, and leaves everything alone", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    const victim = join(work.cwd, "victim");
    fs.writeFileSync(victim, "mine");
    const journal = work.path(".framework-infra.journal");
    fs.outputFileSync(join(journal, "0.next"), "stolen");
    const steps = [{ kind: "file", path: "crewai/README.md", staged: "0.next", before: null }];
    const origin = { host: "x", user: 0, directory: "1/1" };
    fs.writeFileSync(join(journal, "journal.json"), JSON.stringify({ schemaVersion: 1, origin, steps }));
    const before = snapshot(work.cwd);
    const { code, stderr } = await work.run("add-service", "qdrant", "crewai");
    expect([code, stderr]).toEqual([1, expect.stringContaining("was not made on this host by you")]);
    expect(stderr).toContain("hint: look at the files in it, then delete it");
    expect(snapshot(work.cwd)).toEqual(before);
  });

  it("keeps its trouble to itself: links in a circle, a directory in a file's place", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    await work.make("dspy", "postgres");
    await work.make("pocketflow", "postgres");
    fs.removeSync(work.path("crewai/README.md"));
    fs.symlinkSync("README.md", work.path("crewai/README.md"));
    fs.removeSync(work.path("dspy/README.md"));
    fs.mkdirSync(work.path("dspy/README.md"));
    const templates = work.newer({ [README]: started });
    const { code, stderr } = await work.run("regenerate", "--templates", templates);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("frameworks/crewai/README.md cannot be read: it is a link"),
    ]);
    expect(stderr).toContain("frameworks/dspy/README.md is a directory");
    expect(stderr).not.toContain("defect");
    expect(work.read("pocketflow/README.md")).toContain("## Starting");
    expect(await work.ok("status", "pocketflow")).toContain("clean");
  });

  it("is not waited for: pipes and sockets in the place of files", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    await work.make("dspy", "postgres");
    await work.make("pocketflow", "postgres");
    const files = ["crewai/README.md", "dspy/.scaffold/base/README.md.base", "pocketflow/docker-compose.override.yml"];
    for (const file of files) {
      fs.removeSync(work.path(file));
      execFileSync("mkfifo", [work.path(file)]);
    }
    const { code, stderr } = await work.run("regenerate", "--templates", work.newer({ [README]: started }));
    expect([code, stderr]).toEqual([1, expect.stringContaining("2 of 3 frameworks failed")]);
    // Compose files that are no files are not looked into.
    for (const file of files.slice(0, 2))
      expect(stderr).toContain(`frameworks/${file} cannot be read: it is a pipe or a device`);
    expect(work.read("pocketflow/README.md")).toContain("## Starting");
    fs.ensureDirSync(work.path("socket"));
    const server = createServer();
    await new Promise<void>((done) => void server.listen(work.path("socket/framework.yaml"), done));
    const socket = await work.run("ports");
    server.close();
    expect([socket.code, socket.stderr]).toEqual([
      2,
      expect.stringContaining("socket/framework.yaml cannot be read: it is a socket"),
    ]);
  });

  it("is refused in a dry run where the real run would be: a link that leads out", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    fs.moveSync(work.path("crewai/.env"), join(work.cwd, "envfile"));
    fs.symlinkSync(join(work.cwd, "envfile"), work.path("crewai/.env"));
    for (const flags of [["--dry-run"], []]) {
      const { code, stderr } = await work.run("add-service", "qdrant", ...flags);
      expect([code, stderr]).toEqual([1, expect.stringContaining(".env leads somewhere else through a link")]);
    }
  });

  it("loses nothing of an .env that cannot be read without doubt", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    const env = work.read("crewai/.env");
    work.write("crewai/.env", `# a note\nMYNOTE="hello\n${env}`);
    const open = await work.run("add-service", "qdrant");
    expect([open.code, open.stderr]).toEqual([
      2,
      expect.stringContaining("frameworks/crewai/.env:2: a quote is opened and never closed"),
    ]);
    const bytes = Buffer.concat([Buffer.from(env), Buffer.from("MINE=caf\xE9\n", "latin1")]);
    fs.writeFileSync(work.path("crewai/.env"), bytes);
    const odd = await work.run("add-service", "qdrant");
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining("is not UTF-8 text")]);
    expect(fs.readFileSync(work.path("crewai/.env")).equals(bytes)).toBe(true);
  });

  it("fills in an .env that was copied from the template", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.write("crewai/.env", work.read("crewai/.env.template"));
    await work.ok("regenerate");
    expect(work.read("crewai/.env")).toMatch(/^POSTGRES_PASSWORD=[0-9a-f]{64}$/m);
  });

  it("shows no value of .env in a diff but those that follow the spec", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit("crewai/.env", "SERPER_API_KEY=\n", "SERPER_API_KEY=serper-key-9999\nMORE='two\nlines-of-it'\n");
    work.edit("crewai/.env", /POSTGRES_PASSWORD=.*/, String.raw`POSTGRES_PASSWORD="p\"ass\$wordlong"`);
    work.edit("crewai/framework.yaml", "port: 5432", "port: 5499");
    const diff = await work.ok("regenerate", "--diff");
    expect(diff).toContain("+POSTGRES_PORT=5499");
    for (const secret of ["serper-key-9999", "wordlong", "lines-of-it"]) expect(diff).not.toContain(secret);
  });

  it("is not given the name of another framework", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    await work.make("dspy", "postgres");
    work.edit("dspy/framework.yaml", "name: dspy", "name: crewai");
    const { code, stderr } = await work.run("regenerate", "dspy");
    expect([code, stderr]).toEqual([2, expect.stringContaining("crewai is taken: frameworks/crewai has it")]);
  });

  it("keeps a service that another compose file beside it needs", async () => {
    const work = await new Workspace().make("crewai");
    work.write(
      "crewai/compose.override.yaml",
      "services:\n  app:\n    image: x\n    depends_on: [qdrant]\n  qdrant:\n    labels: {a: b}\n",
    );
    const before = snapshot(work.cwd);
    const { code, stderr } = await work.run("remove-service", "qdrant");
    expect([code, stderr]).toEqual([2, expect.stringContaining("compose.override.yaml: services.app: needs qdrant")]);
    expect(stderr).toContain("compose.override.yaml: services.qdrant: belongs to a service that would be removed");
    expect(snapshot(work.cwd)).toEqual(before);
  });

  it("never loses .env to a base that somebody put there", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.write("crewai/.scaffold/base/.env.base", "x");
    await work.ok("remove-framework", "crewai", "--yes");
    expect(work.has("crewai/.env")).toBe(true);
  });

  it("gets directories that containers can enter, whatever the umask", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    const before = process.umask(0o077);
    try {
      await work.ok("add-service", "langfuse");
    } finally {
      process.umask(before);
    }
    expect(fs.statSync(work.path("crewai/config/langfuse")).mode & 0o777).toBe(0o755);
  });
});

describe("what is not there", () => {
  it("is said: a root that a check was given, a compose.yaml that was deleted, a directory that is a link", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    for (const command of ["regenerate", "status", "ports"])
      expect([command, (await work.run(command, "--check", "--root", "nowhere")).code]).toEqual([command, 2]);
    fs.removeSync(work.path("crewai/compose.yaml"));
    const printed = await work.ok("add-service", "qdrant");
    expect(printed).toContain("frameworks/crewai/compose.yaml is missing, so its stack cannot start");
    fs.removeSync(work.path("crewai/.scaffold/base/compose.yaml.base"));
    await work.ok("regenerate");
    expect(work.read("crewai/compose.yaml")).toContain("qdrant:");
    fs.moveSync(work.path("crewai"), join(work.cwd, "elsewhere"));
    fs.symlinkSync(join(work.cwd, "elsewhere"), work.path("crewai"));
    expect(await work.ok("ports")).toContain("frameworks/crewai is a link to a framework");
  });
});

describe("a link in the root that leads to itself", () => {
  it("stops no command, and is named", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    fs.symlinkSync("loop", work.path("loop"));
    for (const command of [["ports"], ["ports", "--check"], ["status"], ["regenerate"], ["add-service", "qdrant"]]) {
      const { code, stderr } = await work.run(...command);
      expect([command, code, stderr]).toEqual([
        command,
        0,
        expect.stringContaining(
          "frameworks/loop is a link, and frameworks/loop/framework.yaml cannot be read: its links run in a circle",
        ),
      ]);
    }
  });
});

describe("names with control characters and shell syntax", () => {
  it("reach no terminal raw, and hints quote them for the shell", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    const odd = "x; touch pwned #\u001B]0;title\u0007";
    work.edit("crewai/.env", /^FRAMEWORK_NAME=.*$/m, `FRAMEWORK_NAME='${odd}'`);
    fs.outputFileSync(work.path(`odd\u001B[2J\nhint: run this/framework.yaml`), "name: [");
    work.write("compose.yaml", `services:\n  "a\\e[2Jb":\n    ports: ["9999:1"]\n`);
    for (const command of [
      ["status"],
      ["ports"],
      ["ports", "--json"],
      ["regenerate", "--dry-run", "--diff"],
      ["remove-framework", "crewai", "--yes"],
    ]) {
      const { stdout, stderr } = await work.run(...command);
      expect([command, /(?![\n\t])\p{Cc}|^hint: run this/mu.exec(stdout + stderr)]).toEqual([command, null]);
      if (command[0] !== "remove-framework") continue;
      expect(stdout).toContain(String.raw`docker volume rm $'x; touch pwned #\u001b]0;title\u0007_postgres_data'`);
    }
  });
});

describe("words that are no service", () => {
  it.each(["toString", "constructor", "__proto__"])("%s", async (word) => {
    const work = await new Workspace().make("crewai", "postgres");
    expect([(await work.run("add-service", word)).code, (await work.run("remove-service", word)).code]).toEqual([2, 2]);
  });
});
