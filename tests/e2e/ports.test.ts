import fs from "fs-extra";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { cli, snapshot } from "../helpers/cli.ts";
import { document } from "../helpers/schemas.ts";
import { tempDir } from "../helpers/temp.ts";
import { needTablePorts } from "../helpers/table-ports.ts";

await needTablePorts();

interface Row {
  framework: string;
  service: string;
  port: number;
  source: string;
  state: string;
  address: string;
  protocol: string;
  variable: string | null;
}

async function table(cwd: string): Promise<Row[]> {
  return (document((await cli(["ports", "--json"], { cwd })).stdout, "ports") as unknown as { ports: Row[] }).ports;
}

async function make(cwd: string, name: string, ...flags: string[]): Promise<void> {
  const { code, stderr } = await cli(["new-framework", name, "--yes", ...flags], { cwd });
  if (code !== 0) throw new Error(stderr);
}

function edit(path: string, from: string, to: string): void {
  const text = fs.readFileSync(path, "utf8");
  if (!text.includes(from)) throw new Error(`${path} does not hold ${from}`);
  fs.writeFileSync(path, text.replace(from, to));
}

describe("ports", () => {
  it("says so when there is nothing yet", async () => {
    const cwd = tempDir();
    expect((await cli(["ports"], { cwd })).stdout).toContain("No framework publishes a port yet");
    expect(await table(cwd)).toEqual([]);
    expect((await cli(["ports", "--check"], { cwd })).code).toBe(0);
    expect(fs.readdirSync(cwd)).toEqual([]);
  });

  it("shows who holds what, where it comes from, and what listens", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "--services", "qdrant", "--port", "qdrant=20611");
    await make(cwd, "dspy", "--services", "qdrant,postgres");
    edit(join(cwd, "frameworks/dspy/.env"), "QDRANT_PORT=6334", "QDRANT_PORT=20612");
    fs.outputFileSync(
      join(cwd, "frameworks/shop/compose.yaml"),
      "services: {web: {ports: ['20613:80', '20614:53/udp']}}\n",
    );
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(20_611, "127.0.0.1", resolve);
    });
    onTestFinished(() => {
      server.close();
    });
    const rows = (await table(cwd)).map((row) => [
      row.port,
      row.framework,
      row.service,
      row.variable,
      row.protocol,
      row.address,
      row.source,
      row.state,
    ]);
    expect(rows).toEqual([
      [5433, "dspy", "postgres", "POSTGRES_PORT", "tcp", "127.0.0.1", "spec", expect.stringMatching(/free|listening/)],
      [20_611, "crewai", "qdrant", "QDRANT_PORT", "tcp", "127.0.0.1", "spec", "listening"],
      [20_612, "dspy", "qdrant", "QDRANT_PORT", "tcp", "127.0.0.1", "env", "free"],
      [20_613, "shop", "web", null, "tcp", "0.0.0.0", "foreign", "free"],
      [20_614, "shop", "web", null, "udp", "0.0.0.0", "foreign", "free"],
    ]);
    expect((await cli(["ports"], { cwd })).stdout).toMatch(/20611\/tcp {2}crewai .* spec +listening/);
  });
});

// Where a clash is looked for, each with the port that `qdrant` of the new framework is given.
describe("a typed port is refused when it is held", () => {
  const foreign = (text: string, env?: string) => (cwd: string) => {
    fs.outputFileSync(join(cwd, "frameworks/shop/compose.yaml"), `services: {web: {ports: [${text}]}}\n`);
    if (env !== undefined) fs.outputFileSync(join(cwd, "frameworks/shop/.env"), env);
  };

  it.each<[string, (cwd: string) => void | Promise<void>, string]>([
    [
      "in another framework's spec",
      async (cwd) => make(cwd, "other", "--services", "qdrant", "--port", "qdrant=20700"),
      "qdrant of other (frameworks/other/framework.yaml)",
    ],
    [
      "in what its .env really says",
      async (cwd) => {
        await make(cwd, "other", "--services", "qdrant");
        edit(join(cwd, "frameworks/other/.env"), "QDRANT_PORT=6338", "QDRANT_PORT=20700");
      },
      "qdrant of other (frameworks/other/.env)",
    ],
    ["by short syntax", foreign("'20700:80'"), "web of shop (frameworks/shop/compose.yaml)"],
    ["by short syntax with an address", foreign("'0.0.0.0:20700:80'"), "web of shop"],
    ["by IPv6", foreign("'[::1]:20700:80'"), "web of shop"],
    ["in a range", foreign("'20695-20705:80-90'"), "web of shop"],
    ["by long syntax", foreign("{target: 80, published: '20700'}"), "web of shop"],
    ["by a default", foreign("'${P:-20700}:80'"), "web of shop"],
    ["by a variable from its .env", foreign("'${P}:80'", "P=20700\n"), "web of shop"],
    [
      "by a service that was added by hand",
      async (cwd) => {
        await make(cwd, "other", "--services", "qdrant");
        edit(
          join(cwd, "frameworks/other/compose.yaml"),
          "services:\n",
          "services:\n  web:\n    image: web\n    ports: ['20700:80']\n",
        );
      },
      "web of other (frameworks/other/compose.yaml)",
    ],
  ])("%s", async (_, prepare, holder) => {
    const cwd = tempDir();
    await prepare(cwd);
    const before = snapshot(cwd);
    const { code, stderr } = await cli(
      ["new-framework", "mine", "--yes", "--services", "qdrant", "--port", "qdrant=20700"],
      { cwd },
    );
    expect([code, stderr]).toEqual([3, expect.stringContaining(`port 20700 for qdrant is held by ${holder}`)]);
    expect(stderr).toMatch(/nearest free: --port qdrant=20(?:701|706)/);
    expect(snapshot(cwd)).toEqual(before);
  });

  it("but not by another protocol", async () => {
    const cwd = tempDir();
    foreign("'20700:53/udp'")(cwd);
    await make(cwd, "mine", "--services", "qdrant", "--port", "qdrant=20700");
  });

  it("and a proposed one moves on, and says so", async () => {
    const cwd = tempDir();
    foreign("'6333:80'")(cwd);
    const { code, stderr } = await cli(["new-framework", "crewai", "--yes", "--services", "qdrant"], { cwd });
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining("6333 (qdrant) is held by web of shop (frameworks/shop/compose.yaml); now qdrant 6338"),
    ]);
  });
});

describe("ports --check and --fix", () => {
  /** Two frameworks with the same ports, as two merged branches leave them. */
  async function clash(): Promise<string> {
    const [cwd, branch] = [tempDir(), tempDir()];
    await make(cwd, "crewai");
    await make(branch, "agents", "--services", "qdrant,postgres", "--port", "qdrant=6333", "--port", "postgres=5432");
    fs.copySync(join(branch, "frameworks/agents"), join(cwd, "frameworks/agents"));
    return cwd;
  }

  it("finds two holders of one port, and names both", async () => {
    const cwd = await clash();
    const { code, stderr } = await cli(["ports", "--check"], { cwd });
    expect(code).toBe(3);
    expect(stderr).toContain(
      "port 5432 has more than one holder: postgres of agents (frameworks/agents/framework.yaml), postgres of crewai",
    );
    const json = await cli(["ports", "--check", "--json"], { cwd });
    expect(json.code).toBe(3);
    expect(document(json.stdout, "ports")["ports"]).toHaveLength(5);
  });

  it("moves the one that has it by chance, and keeps secrets, edits and the other framework", async () => {
    const cwd = await clash();
    const dir = join(cwd, "frameworks/agents");
    fs.appendFileSync(join(dir, "framework.yaml"), "# mine\n");
    fs.appendFileSync(join(dir, "README.md"), "\nMine.\n");
    fs.appendFileSync(join(dir, ".env"), "MY_OWN=1\n");
    const secrets = (): string[] => fs.readFileSync(join(dir, ".env"), "utf8").match(/[0-9a-f]{64}/g) ?? [];
    const before = { crewai: snapshot(join(cwd, "frameworks/crewai")), all: snapshot(cwd), secrets: secrets() };

    const dry = await cli(["ports", "--fix", "--dry-run"], { cwd });
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining("agents: qdrant moves from 6333 to 6338")]);
    expect(snapshot(cwd)).toEqual(before.all);

    const fixed = await cli(["ports", "--fix"], { cwd });
    expect([fixed.code, fixed.stdout]).toEqual([
      0,
      expect.stringContaining("agents: postgres moves from 5432 to 5437"),
    ]);
    expect(snapshot(join(cwd, "frameworks/crewai"))).toEqual(before.crewai);
    expect(fs.readFileSync(join(dir, ".env"), "utf8")).toMatch(
      /POSTGRES_PORT=5437\n[\s\S]*@localhost:5437\/agents\n[\s\S]*QDRANT_URL=http:\/\/localhost:6338\n[\s\S]*MY_OWN=1\n/,
    );
    expect(secrets()).toEqual(before.secrets);
    expect(fs.readFileSync(join(dir, "framework.yaml"), "utf8")).toMatch(/port: 6338\n[\s\S]*# mine\n$/);
    expect(fs.readFileSync(join(dir, "README.md"), "utf8")).toContain("\nMine.\n");
    expect((await cli(["ports", "--check"], { cwd })).code).toBe(0);
    const again = await cli(["ports", "--fix"], { cwd });
    expect([again.code, again.stdout.includes("moves")]).toEqual([0, false]);
  });

  it("moves all but one of three holders, each to ports of its own; the preset's own name stays", async () => {
    const cwd = tempDir();
    for (const name of ["bb", "cc", "crewai"]) {
      const branch = tempDir();
      await make(branch, name, "--preset", "crewai");
      fs.copySync(join(branch, "frameworks", name), join(cwd, "frameworks", name));
    }
    const fixed = await cli(["ports", "--fix", "--json"], { cwd });
    expect(fixed.code).toBe(0);
    const { plans } = document(fixed.stdout, "plans") as { plans: { framework: string }[] };
    expect(plans.map(({ framework }) => framework)).toEqual(["bb", "cc"]);
    const qdrant = (await table(cwd)).filter((row) => row.service === "qdrant").map((row) => [row.framework, row.port]);
    expect(qdrant).toEqual([
      ["crewai", 6333],
      ["bb", 6338],
      ["cc", 6339],
    ]);
    expect((await cli(["ports", "--check"], { cwd })).code).toBe(0);
  });

  it("shows a diff without a secret and writes nothing", async () => {
    const cwd = await clash();
    const before = snapshot(cwd);
    const { code, stdout } = await cli(["ports", "--fix", "--diff"], { cwd });
    expect([code, stdout]).toEqual([0, expect.stringContaining("+QDRANT_PORT=6338")]);
    expect(stdout).not.toMatch(/[0-9a-f]{64}/);
    expect(snapshot(cwd)).toEqual(before);
    document((await cli(["ports", "--fix", "--dry-run", "--json"], { cwd })).stdout, "plans");
  });

  it("is not stopped by an .incoming of before, nor by another protocol on the new port", async () => {
    const cwd = await clash();
    fs.writeFileSync(join(cwd, "frameworks/agents/README.md.incoming"), "x");
    fs.outputFileSync(join(cwd, "frameworks/shop/compose.yaml"), "services: {web: {ports: ['6338:1/udp']}}\n");
    // It is done all the same; what was open stays open.
    expect((await cli(["ports", "--fix"], { cwd })).code).toBe(4);
    expect((await cli(["ports", "--check"], { cwd })).code).toBe(0);
  });

  it("names what still holds a port that moved: an edited value, another framework's URL", async () => {
    const cwd = await clash();
    await make(
      cwd,
      "user",
      "--services",
      "qdrant",
      "--langfuse",
      "external",
      "--langfuse-host",
      "http://localhost:6333",
    );
    edit(join(cwd, "frameworks/agents/.env"), "QDRANT_URL=http://localhost:6333", "QDRANT_URL=http://127.0.0.1:6333");
    const { code, stdout, stderr } = await cli(["ports", "--fix"], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain("agents/.env: QDRANT_URL still names port 6333, which qdrant of agents had");
    expect(stderr).toContain("user/framework.yaml and its .env: the external URL still names port 6333");
    expect(stderr).not.toContain("DATABASE_URL");
    expect(stdout).toContain("cd frameworks/agents && docker compose up -d --wait");
  });

  it("does not take a service that was renamed in compose.yaml for a second holder", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    edit(join(cwd, "frameworks/crewai/compose.yaml"), "\n  qdrant:\n", "\n  vectors:\n");
    expect((await cli(["ports", "--check"], { cwd })).code).toBe(0);
  });

  it("fails on two stacks with one name, and new-framework refuses to make them", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "--services", "qdrant");
    edit(join(cwd, "frameworks/crewai/.env"), "FRAMEWORK_NAME=crewai", "FRAMEWORK_NAME=shared");
    const { code, stderr } = await cli(["new-framework", "shared", "--yes"], { cwd });
    expect([code, stderr]).toEqual([2, expect.stringContaining("the name shared is taken: frameworks/crewai has it")]);
    await make(cwd, "dspy", "--services", "qdrant");
    edit(join(cwd, "frameworks/dspy/.env"), "FRAMEWORK_NAME=dspy", "FRAMEWORK_NAME=shared");
    const check = await cli(["ports", "--check"], { cwd });
    expect([check.code, check.stderr]).toEqual([1, expect.stringContaining("both FRAMEWORK_NAME=shared")]);
  });

  it("says when a port in .env is none", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "--services", "qdrant");
    edit(join(cwd, "frameworks/crewai/.env"), "QDRANT_PORT=6333", "QDRANT_PORT=63333333");
    const { stdout, stderr } = await cli(["ports"], { cwd });
    expect(stderr).toContain("frameworks/crewai/.env: QDRANT_PORT is not a whole number from 1 to 65535");
    expect(stdout).toContain("6333/tcp");
  });

  it("empties the table when the last framework is gone", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    fs.removeSync(join(cwd, "frameworks/crewai"));
    expect((await cli(["ports", "--check"], { cwd })).code).toBe(5);
    expect((await cli(["ports", "--fix"], { cwd })).code).toBe(0);
    expect((await cli(["ports", "--check"], { cwd })).code).toBe(0);
  });

  it("finds PORT_ALLOCATION.md out of date or missing, and rewrites it", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const file = join(cwd, "frameworks/PORT_ALLOCATION.md");
    const right = fs.readFileSync(file, "utf8");
    for (const spoil of [() => fs.appendFileSync(file, "x"), () => fs.removeSync(file)]) {
      spoil();
      expect((await cli(["ports", "--check"], { cwd })).code).toBe(5);
      expect((await cli(["ports", "--fix"], { cwd })).code).toBe(0);
      expect(fs.readFileSync(file, "utf8")).toBe(right);
    }
  });

  it("does not touch what is not ours: exit 3 and who must move", async () => {
    const cwd = tempDir();
    fs.outputFileSync(join(cwd, "frameworks/a/compose.yaml"), "services: {web: {ports: ['8080:80']}}\n");
    fs.outputFileSync(join(cwd, "frameworks/b/compose.yaml"), "services: {web: {ports: ['8080:80']}}\n");
    const before = snapshot(cwd);
    const { code, stderr } = await cli(["ports", "--fix"], { cwd });
    expect([code, stderr]).toEqual([3, expect.stringContaining("change the port in the file that is named")]);
    expect(snapshot(cwd)).toEqual(before);
  });
});

it("reports a change that was interrupted, changes nothing, and --fix undoes it", async () => {
  const cwd = tempDir();
  await make(cwd, "crewai");
  const journal = join(cwd, "frameworks/.framework-infra.journal");
  fs.outputFileSync(join(journal, "0.next"), "half");
  const before = snapshot(cwd);
  expect((await cli(["ports"], { cwd })).stderr).toContain(
    "a change was interrupted; the next command that writes finishes or undoes it",
  );
  expect(snapshot(cwd)).toEqual(before);
  await cli(["ports", "--fix"], { cwd });
  expect(fs.existsSync(journal)).toBe(false);
  expect((await cli(["ports"], { cwd })).stderr).toBe("");
});
