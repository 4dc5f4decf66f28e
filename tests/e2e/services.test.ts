import fs from "fs-extra";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { snapshot } from "../helpers/cli.ts";
import { document } from "../helpers/schemas.ts";
import { Workspace, stamps } from "../helpers/project-dir.ts";

interface Plan {
  framework: string;
  actions: { path: string; action: string; before: string | null; after: string | null }[];
}

const actions = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    (document(stdout, "plan") as unknown as Plan).actions
      .filter(({ action }) => action !== "keep")
      .map(({ path, action }) => [path, action]),
  );

/** Edits in most files of a directory, as several people would make them. */
function editByHand(work: Workspace, name: string): void {
  work.edit(`${name}/compose.yaml`, "shm_size: 256m", "shm_size: 1g # big sorts");
  work.edit(
    `${name}/compose.yaml`,
    /\nnetworks:\n/,
    "\n  # Ours.\n  app:\n    image: busybox\n    depends_on: [postgres]\n    networks: [internal]\n\nnetworks:\n",
  );
  work.edit(`${name}/README.md`, /^# .*\n/, "# Our stack\n");
  work.edit(`${name}/.env.template`, "LOG_LEVEL=\n", "LOG_LEVEL=DEBUG\n");
  work.edit(`${name}/framework.yaml`, "profile: small", "profile: small # until the new host");
}

describe("add-service", () => {
  it("needs no framework's name where there is only one, and keeps what was edited", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    editByHand(work, "crewai");
    const printed = await work.ok("add-service", "qdrant");
    expect(printed).toContain("qdrant  http://localhost:6333/dashboard");
    expect(printed).toContain("docker compose up -d --wait");
    const compose = work.read("crewai/compose.yaml");
    expect(Object.keys((parse(compose) as { services: object }).services)).toEqual(["postgres", "qdrant", "app"]);
    expect(compose).toContain("shm_size: 1g # big sorts");
    expect(work.read("crewai/.env")).toMatch(
      /# Qdrant\nQDRANT_PORT=6333\nQDRANT_URL=.*\nQDRANT_API_KEY=[0-9a-f]{64}\n/,
    );
    expect(parse(work.read("crewai/framework.yaml"))).toMatchObject({
      services: { qdrant: { port: 6333, requested: true } },
    });
    expect(work.read("crewai/framework.yaml")).toContain("profile: small # until the new host");
    expect(work.read("PORT_ALLOCATION.md")).toContain("6333");
    expect(await work.ok("regenerate")).toContain("crewai: nothing to do");
  });

  it("brings what the service needs, and says so", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    const printed = await work.ok("add-service", "langfuse");
    expect(printed).toContain("clickhouse, postgres, seaweedfs, valkey: added as well, langfuse needs it");
    expect(parse(work.read("crewai/framework.yaml"))).toMatchObject({
      services: { langfuse: { requested: true }, postgres: { requested: false }, valkey: { requested: false } },
    });
    expect(fs.statSync(work.path("crewai/config/langfuse/create-database.sh")).mode & 0o777).toBe(0o755);
  });

  it("leaves neighbours as they are where the templates have moved on, and the update pending", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    const templates = work.newer({
      "services/postgres/compose.yaml.hbs": (text) => text.replace("stop_grace_period: 60s", "stop_grace_period: 90s"),
      "services/qdrant/compose.yaml.hbs": (text) => text.replace("stop_grace_period: 30s", "stop_grace_period: 45s"),
    });
    await work.ok("add-service", "qdrant", "--templates", templates);
    const compose = work.read("crewai/compose.yaml");
    expect([compose.includes("stop_grace_period: 60s"), compose.includes("stop_grace_period: 45s")]).toEqual([
      true,
      true,
    ]);
    expect(await work.ok("regenerate", "--templates", templates)).toContain("update    compose.yaml");
    expect(work.read("crewai/compose.yaml")).toContain("stop_grace_period: 90s");
  });

  it("changes nothing when the service is there, and marks one that came as a dependency", async () => {
    const work = await new Workspace().make("crewai", "langfuse");
    const before = stamps(work.path("crewai"));
    expect(await work.ok("add-service", "langfuse")).toContain("has langfuse already");
    expect(document(await work.ok("add-service", "langfuse", "--json"), "plan")).toMatchObject({ actions: [] });
    expect(stamps(work.path("crewai"))).toEqual(before);
    await work.ok("add-service", "postgres");
    expect(parse(work.read("crewai/framework.yaml"))).toMatchObject({ services: { postgres: { requested: true } } });
  });

  it("takes a port, and refuses one that is taken, without writing a byte", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    await work.make("dspy", "postgres", "--port", "postgres=7000");
    const before = snapshot(work.cwd);
    const taken = await work.run("add-service", "qdrant", "crewai", "--port", "qdrant=7000");
    expect([taken.code, taken.stderr]).toEqual([
      3,
      expect.stringContaining("port 7000 for qdrant is held by postgres of dspy"),
    ]);
    const odd = await work.run("add-service", "qdrant", "crewai", "--port", "postgres=7001");
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining("which has one")]);
    expect(snapshot(work.cwd)).toEqual(before);
    await work.ok("add-service", "qdrant", "crewai", "--port", "qdrant=7002");
    expect(work.read("crewai/.env")).toContain("QDRANT_PORT=7002\n");
  });

  it("gives a port beside those that the framework has", async () => {
    const work = await new Workspace().make("agents", "postgres");
    const offset = Number(/POSTGRES_PORT=(\d+)/.exec(work.read("agents/.env"))?.[1]) - 5432;
    await work.ok("add-service", "qdrant");
    expect(work.read("agents/.env")).toContain(`QDRANT_PORT=${String(6333 + offset)}\n`);
  });

  it("says what is missing where nothing can be asked", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    await work.make("dspy", "postgres");
    const both = await work.run("add-service");
    expect([both.code, both.stderr]).toEqual([
      2,
      expect.stringContaining("missing: the service, and the framework (one of crewai, dspy)"),
    ]);
    const one = await work.run("add-service", "qdrant");
    expect([one.code, one.stderr]).toEqual([
      2,
      expect.stringContaining("missing: the framework (one of crewai, dspy)"),
    ]);
    expect((await work.run("add-service", "qdrnt", "crewai")).stderr).toContain("did you mean qdrant?");
    expect((await work.run("add-service", "qdrant", "nope")).stderr).toContain("there are: crewai, dspy");
    expect((await new Workspace().run("add-service", "qdrant")).stderr).toContain(
      "there is no framework in frameworks",
    );
  });

  it("does not run what the spec says runs elsewhere", async () => {
    const work = await new Workspace().make("crewai", "qdrant", "--langfuse", "external");
    const { code, stderr } = await work.run("add-service", "langfuse");
    expect([code, stderr]).toEqual([2, expect.stringContaining("says langfuse.mode external")]);
  });

  it("shows a plan or a diff without writing, with the digests that the real run gives", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    editByHand(work, "crewai");
    const before = stamps(work.cwd);
    const dry = actions(await work.ok("add-service", "qdrant", "--dry-run", "--json"));
    const diff = await work.ok("add-service", "qdrant", "--diff");
    expect(diff).toContain("+  qdrant:");
    expect(diff).not.toMatch(/[0-9a-f]{64}/);
    expect(stamps(work.cwd)).toEqual(before);
    expect(actions(await work.ok("add-service", "qdrant", "--json"))).toEqual(dry);
    expect(dry).toMatchObject({ "compose.yaml": "merge", "README.md": "merge", ".env": "update" });
  });

  it("stops at an edit that it meets, leaves the file working, and goes on once it is resolved", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit(
      "crewai/compose.yaml",
      "  postgres_data:\n",
      "  # moved to the fast disk\n  postgres_data:\n    driver_opts: {o: bind}\n",
    );
    work.edit("crewai/compose.yaml", /\nnetworks:\n/, "\n  qdrant:\n    image: qdrant/qdrant:v1.0.0\n\nnetworks:\n");
    const mine = work.read("crewai/compose.yaml");
    const { code, stderr } = await work.run("add-service", "qdrant");
    expect([code, stderr]).toEqual([4, expect.stringContaining("a conflict is open: crewai/compose.yaml")]);
    expect(work.read("crewai/compose.yaml")).toBe(mine);
    expect(work.read("crewai/compose.yaml.incoming")).toContain("container_name: ${FRAMEWORK_NAME}_qdrant");
    expect(work.read("crewai/compose.yaml.incoming")).not.toMatch(/[0-9a-f]{64}/);
    expect((await work.run("status", "--check")).code).toBe(4);
    work.edit("crewai/compose.yaml", "image: qdrant/qdrant:v1.0.0", "image: mirror.example/qdrant:v1.19.0");
    fs.removeSync(work.path("crewai/compose.yaml.incoming"));
    await work.ok("regenerate");
    expect(work.read("crewai/compose.yaml")).toContain("mirror.example/qdrant:v1.19.0");
    expect(await work.ok("regenerate")).toContain("nothing to do");
  });

  it("does not generate on the side what was edited in framework.yaml", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit("crewai/framework.yaml", "services:\n", "services:\n  valkey: {}\n  langfuse: {}\n");
    const { code, stderr } = await work.run("add-service", "qdrant");
    expect([code, stderr]).toEqual([2, expect.stringContaining("was edited and not generated since")]);
  });
});

describe("remove-service", () => {
  it.each([
    ["qdrant", "postgres"],
    ["langfuse", "qdrant,postgres"],
    ["postgres", "qdrant"],
    ["clickhouse", "qdrant"],
    ["langfuse", "postgres"],
  ])("gives back every byte after add-service %s to %s, hand edits included", async (service, others) => {
    const work = await new Workspace().make("crewai", others);
    work.edit("crewai/README.md", /^# .*\n/, "# Our stack\n");
    work.edit(
      "crewai/compose.yaml",
      /\nnetworks:\n/,
      "\n  # Ours.\n  app:\n    image: busybox\n    networks: [internal]\n\nnetworks:\n",
    );
    work.edit("crewai/.env.template", "LOG_LEVEL=\n", "LOG_LEVEL=DEBUG\n");
    work.edit("crewai/framework.yaml", "profile: small", "profile: small # until the new host");
    const before = snapshot(work.cwd, /\.env$/);
    const env = work.read("crewai/.env");
    await work.ok("add-service", service);
    const added = work.read("crewai/.env");
    const printed = await work.ok("remove-service", service);
    expect(snapshot(work.cwd, /\.env$/)).toEqual(before);
    expect(printed).toContain("No volume was deleted");
    // The secrets stay for the volumes; what followed the spec is gone.
    const left = work.read("crewai/.env");
    expect(left.startsWith(env)).toBe(true);
    for (const line of left.slice(env.length).split("\n"))
      expect(line).toMatch(/^(?:$|# |[A-Z_]+=(?:pk-lf-|sk-lf-)?[0-9a-f]{64}$)/);
    await work.ok("add-service", service);
    const again = work.read("crewai/.env");
    expect(again.split("\n").toSorted()).toEqual(added.split("\n").toSorted());
  });

  it("refuses while another service needs it, ours or one added by hand, and names it", async () => {
    const work = await new Workspace().make("crewai", "langfuse,qdrant");
    const needed = await work.run("remove-service", "postgres");
    expect([needed.code, needed.stderr]).toEqual([2, expect.stringContaining("postgres is needed by langfuse")]);
    work.edit(
      "crewai/compose.yaml",
      /\nnetworks:\n/,
      "\n  indexer:\n    image: busybox\n    depends_on: {qdrant: {condition: service_started}}\n\nnetworks:\n",
    );
    const before = snapshot(work.cwd);
    const own = await work.run("remove-service", "qdrant");
    expect([own.code, own.stderr]).toEqual([
      2,
      expect.stringContaining("indexer needs qdrant in frameworks/crewai/compose.yaml"),
    ]);
    expect(snapshot(work.cwd)).toEqual(before);
  });

  it("takes out what came for it alone, and says which volumes remain", async () => {
    const work = await new Workspace().make("crewai", "langfuse,postgres");
    const printed = await work.ok("remove-service", "langfuse");
    expect(printed).toContain("clickhouse, seaweedfs, valkey: removed as well");
    expect(printed).toContain("docker volume rm crewai_clickhouse_data");
    expect(printed).toContain("--remove-orphans");
    expect(Object.keys((parse(work.read("crewai/framework.yaml")) as { services: object }).services)).toEqual([
      "postgres",
    ]);
    expect(work.has("crewai/config/langfuse")).toBe(false);
  });

  it("takes out a service whose update is pending, and leaves the updates of its neighbours pending", async () => {
    const work = await new Workspace().make("crewai");
    work.edit("crewai/compose.yaml", "shm_size: 256m", "shm_size: 1g");
    const old = work.read("crewai/compose.yaml");
    const templates = work.newer({
      "services/postgres/compose.yaml.hbs": (text) => text.replace("stop_grace_period: 60s", "stop_grace_period: 90s"),
      "services/qdrant/compose.yaml.hbs": (text) => text.replace("stop_grace_period: 30s", "stop_grace_period: 45s"),
      "services/qdrant/service.yaml": (text) => text.replaceAll("Vector database, REST API", "Vectors, REST API"),
    });
    await work.ok("remove-service", "qdrant", "--templates", templates);
    const compose = work.read("crewai/compose.yaml");
    expect(compose).not.toContain("qdrant");
    expect([compose.includes("shm_size: 1g"), compose.includes("stop_grace_period: 60s")]).toEqual([true, true]);
    expect(old.split("\n")).toEqual(
      expect.arrayContaining(compose.split("\n").filter((line) => !line.startsWith("#"))),
    );
    await work.ok("regenerate", "--templates", templates);
    expect(work.read("crewai/compose.yaml")).toContain("stop_grace_period: 90s");
  });

  it("refuses the last one, an unknown one and an open conflict; what is not there is no error", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    expect((await work.run("remove-service", "qdrant")).stderr).toContain("npm run remove-framework crewai");
    expect((await work.run("remove-service", "nope")).code).toBe(2);
    expect(await work.ok("remove-service", "postgres")).toContain("has no postgres; nothing to do");
    await work.ok("add-service", "postgres");
    work.write("crewai/README.md.incoming", "x");
    const { code, stderr } = await work.run("remove-service", "postgres");
    expect([code, stderr]).toEqual([
      4,
      expect.stringContaining("a conflict is open in frameworks/crewai: README.md.incoming"),
    ]);
  });

  it("keeps an edited file of it, and an edited block is a conflict that leaves compose.yaml working", async () => {
    const work = await new Workspace().make("crewai", "langfuse,qdrant");
    work.edit("crewai/config/clickhouse/system-logs.xml", "<clickhouse>", "<clickhouse><!-- ours -->");
    const mine = work.read("crewai/config/clickhouse/system-logs.xml");
    await work.ok("remove-service", "langfuse");
    expect(work.read("crewai/config/clickhouse/system-logs.xml")).toBe(mine);
    await work.ok("add-service", "postgres");
    work.edit("crewai/compose.yaml", "shm_size: 256m", "shm_size: 2g");
    const compose = work.read("crewai/compose.yaml");
    expect((await work.run("remove-service", "postgres")).code).toBe(4);
    expect(work.read("crewai/compose.yaml")).toBe(compose);
    // The file still names the port, so .env keeps it.
    expect(work.read("crewai/.env")).toContain("POSTGRES_PORT=");
  });
});
