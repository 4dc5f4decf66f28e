import fs from "fs-extra";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { cli, run, start } from "../helpers/cli.ts";
import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { leftOut } from "../helpers/left-out.ts";
import { PROJECT } from "../helpers/project.ts";
import { pythonWith } from "../helpers/python.ts";
import { inNetworkOf, LISTENING, reachedBy, tableOf, type Target } from "../helpers/reach.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

const NAMES = ["crewai", "dspy", "pocketflow", "google-adk", "pydantic-ai"];
const LONG_RUNNING = ["clickhouse", "langfuse", "langfuse-worker", "postgres", "qdrant", "seaweedfs", "valkey"];
const ONE_SHOTS = ["langfuse-bucket", "langfuse-database"];

interface Inspected {
  Name: string;
  State: { Running: boolean; Health?: { Status: string } };
  Config: { User: string; Env: string[] };
  HostConfig: {
    Memory: number;
    NanoCpus: number;
    PidsLimit: number;
    CapDrop: string[];
    CapAdd: string[] | null;
    Privileged: boolean;
    ReadonlyRootfs: boolean;
    SecurityOpt: string[];
    NetworkMode: string;
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]> | null;
    RestartPolicy: { Name: string };
    LogConfig: { Type: string; Config: Record<string, string> };
  };
  NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
}

/** All five presets of the port table, each a whole stack, at the same time on one engine. */
describe.skipIf(engineProblem() !== undefined)("five stacks at once", () => {
  let cwd = "";
  let stacks: Stack[] = [];
  const containers = new Map<string, Inspected>();
  const prefix = (name: string): string => name.replaceAll("-", "_");

  const container = (name: string, service: string): Inspected => {
    const found = containers.get(`${prefix(name)}_${service.replaceAll("-", "_")}`);
    if (found === undefined) throw new Error(`${name} has no container for ${service}`);
    return found;
  };
  const stack = (name: string): Stack => stacks[NAMES.indexOf(name)] ?? new Stack("");

  beforeAll(async () => {
    cwd = newTempDir();
    stacks = NAMES.map((name) => new Stack(join(cwd, "frameworks", name)));
    for (const name of NAMES) {
      const { code, stderr } = await cli(["new-framework", name, "--yes"], { cwd });
      if (code !== 0) throw new Error(stderr);
    }
    for (const each of stacks) {
      each.useTestImages();
      await each.ok("up", "-d", "--wait");
    }
    const ids = (await docker("ps", "-aq")).trim().split("\n");
    for (const inspected of JSON.parse(await docker("inspect", ...ids)) as Inspected[])
      containers.set(inspected.Name.slice(1), inspected);
  });

  afterAll(async () => {
    for (const each of stacks) await each.remove();
    removeDir(cwd);
  });

  it("has every container of every stack, and all healthy", () => {
    const expected = NAMES.flatMap((name) =>
      [...LONG_RUNNING, ...ONE_SHOTS].map((service) => `${prefix(name)}_${service.replaceAll("-", "_")}`),
    );
    expect([...containers.keys()].toSorted()).toEqual(expected.toSorted());
    const states = NAMES.flatMap((name) =>
      LONG_RUNNING.map((service) => container(name, service).State.Health?.Status),
    );
    expect(new Set(states)).toEqual(new Set(["healthy"]));
  });

  it("names networks and volumes as the task list says", async () => {
    const networks = (await docker("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Internal}}"))
      .trim()
      .split("\n");
    const volumes = (await docker("volume", "ls", "--format", "{{.Name}}")).trim().split("\n");
    for (const name of NAMES.map(prefix)) {
      expect(networks).toContain(`${name}_network bridge false`);
      expect(networks).toContain(`${name}_internal bridge true`);
      for (const service of ["qdrant", "postgres", "clickhouse", "valkey", "seaweedfs"])
        expect(volumes).toContain(`${name}_${service}_data`);
    }
  });

  it("publishes the ports of the table on 127.0.0.1 alone, and they answer", async () => {
    for (const [slot, name] of NAMES.entries()) {
      const bindings = [...containers.values()]
        .filter((each) => each.Name.startsWith(`/${prefix(name)}_`))
        .flatMap((each) =>
          Object.values(each.HostConfig.PortBindings ?? {})
            .flat()
            .map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`),
        );
      const wanted = [3000 + slot, 5432 + slot, 6333 + slot].map(String);
      expect(bindings.toSorted()).toEqual(wanted.map((port) => `127.0.0.1:${port}`).toSorted());
      expect((await fetch(`http://127.0.0.1:${String(6333 + slot)}/readyz`)).status).toBe(200);
      expect((await fetch(`http://127.0.0.1:${String(3000 + slot)}/api/public/health`)).status).toBe(200);
      expect(await opens("127.0.0.1", 5432 + slot)).toBe(true);
    }
    // The kernel's own list: whatever listens for a container does so on loopback.
    const listening = await run("ss", ["-Hltn"]);
    const ours = listening.stdout
      .split("\n")
      .map((line) => line.trim().split(/\s+/)[3] ?? "")
      .filter((address) => /:(?:300[0-4]|543[2-6]|633[3-7])$/.test(address));
    expect(ours).toHaveLength(15);
    expect(ours.filter((address) => !address.startsWith("127.0.0.1:"))).toEqual([]);
  });

  it("hardens every container: limits, user, capabilities, read-only root, log rotation", () => {
    const notReadOnly = new Set(["clickhouse", "langfuse", "langfuse-worker"]);
    const users: Record<string, string> = {
      clickhouse: "101:101",
      langfuse: "1001:1001",
      "langfuse-worker": "1001:1001",
      "langfuse-bucket": "1000:1000",
      "langfuse-database": "70:70",
      postgres: "70:70",
      qdrant: "1000:1000",
      seaweedfs: "1000:1000",
      valkey: "999:1000",
    };
    for (const name of NAMES) {
      for (const service of [...LONG_RUNNING, ...ONE_SHOTS]) {
        const { HostConfig, Config } = container(name, service);
        expect({ service, user: Config.User, readOnly: HostConfig.ReadonlyRootfs }).toEqual({
          service,
          user: users[service],
          readOnly: !notReadOnly.has(service),
        });
        expect(HostConfig).toMatchObject({
          CapDrop: ["ALL"],
          CapAdd: null,
          Privileged: false,
          SecurityOpt: ["no-new-privileges:true"],
          RestartPolicy: { Name: ONE_SHOTS.includes(service) ? "no" : "unless-stopped" },
          LogConfig: { Type: "local", Config: { "max-size": "10m", "max-file": "3" } },
        });
        expect(HostConfig.Memory).toBeGreaterThan(0);
        expect(HostConfig.NanoCpus).toBeGreaterThan(0);
        expect(HostConfig.PidsLimit).toBeGreaterThan(0);
      }
    }
  });

  it("lets services find each other by name, and not those of another framework", async () => {
    for (const [from, place, code] of [
      ["postgres", "clickhouse/8123", 0],
      ["postgres", "valkey/6379", 0],
      ["qdrant", "postgres/5432", 0],
      ["qdrant", "seaweedfs/8888", 1],
      ["postgres", "dspy_postgres/5432", 1],
    ] as const) {
      const probe = ["exec", "-T", from, "bash", "-c", `exec 3<>/dev/tcp/${place}`];
      expect([from, place, (await stack("crewai").compose(...probe)).code]).toEqual([from, place, code]);
    }
  });

  it("lets containers reach what they use, and each other nowhere else: the matrix of docs/security.md", async () => {
    const addresses = (name: string, service: string): string[] =>
      Object.values(container(name, service).NetworkSettings.Networks).map(({ IPAddress }) => IPAddress);
    const own = LISTENING.map(([service, port]): Target => ({
      label: `${service} ${String(port)}`,
      places: addresses("crewai", service).map((address) => `${address}/${String(port)}`),
    }));
    const others = LISTENING.flatMap(([service, port]) =>
      addresses("dspy", service).map((address) => `${address}/${String(port)}`),
    );
    const server = await serverOn("0.0.0.0");
    const loopback = await serverOn("127.0.0.1");
    onTestFinished(() => {
      server.close();
      loopback.close();
    });
    const gateways = (await docker("network", "ls", "-q"))
      .trim()
      .split("\n")
      .map(async (id) => docker("network", "inspect", "--format", "{{range .IPAM.Config}}{{.Gateway}}{{end}}", id));
    const hosts = (await Promise.all(gateways)).map((gateway) => gateway.trim()).filter((gateway) => gateway !== "");
    const found = new Map<string, Map<string, string>>();
    await withOutsideHost(async (outside, routed) => {
      const targets: Target[] = [
        ...own,
        { label: "another framework", places: others },
        { label: "host, 0.0.0.0", places: hosts.map((host) => `${host}/${String(portOf(server))}`) },
        {
          label: "host, 127.0.0.1",
          places: [...hosts, "127.0.0.1"].map((host) => `${host}/${String(portOf(loopback))}`),
        },
        { label: "outside", places: [outside] },
      ];
      const said = (reached: ReadonlySet<string>): Map<string, string> =>
        new Map(targets.map(({ label }) => [label, reached.has(label) ? "yes" : "-"]));
      for (const from of LONG_RUNNING)
        found.set(from, said(await reachedBy(inNetworkOf(`crewai_${from.replaceAll("-", "_")}`), targets)));
      // Nobody is in no group of the engine's.
      const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c"];
      const asUser = async (script: string): Promise<string> => shell("setpriv", [...nobody, script]);
      found.set("a user of this host", said(await reachedBy(asUser, own)));
      found.set("a host with a route", said(await reachedBy(routed, own)));
    });
    const document = fs.readFileSync(join(PROJECT, "docs/security.md"), "utf8");
    const documented = tableOf(document, "What reaches what");
    const compared = (table: ReadonlyMap<string, ReadonlyMap<string, string>>): Record<string, string> =>
      Object.fromEntries(
        [...table].map(([from, row]) => [from, [...row].map(([to, cell]) => `${to}: ${cell}`).join(", ")]),
      );
    // What has no container cannot be asked from inside: those cells say nothing.
    for (const from of ["a user of this host", "a host with a route"])
      for (const to of ["another framework", "host, 0.0.0.0", "host, 127.0.0.1", "outside"])
        found.get(from)?.set(to, "");
    expect(compared(found)).toEqual(compared(documented));
  });

  it("has a role and a database for the application and for Langfuse, each kept from the other", async () => {
    for (const name of NAMES) {
      const app = prefix(name);
      const each = stack(name);
      const query = async (user: string, password: string, database: string, sql: string) =>
        each.compose(
          "exec",
          "-T",
          "-e",
          `PGPASSWORD=${each.env.get(password) ?? ""}`,
          "postgres",
          "psql",
          "-h",
          "postgres",
          "-U",
          user,
          "-d",
          database,
          "-Atc",
          sql,
        );
      const owners = await query(
        "postgres",
        "POSTGRES_PASSWORD",
        "postgres",
        "SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE NOT datistemplate ORDER BY 1",
      );
      expect(owners.stdout.trim().split("\n").toSorted()).toEqual(
        [`${app}|${app}`, "langfuse|langfuse", "postgres|postgres"].toSorted(),
      );
      const roles = await query(
        "postgres",
        "POSTGRES_PASSWORD",
        "postgres",
        "SELECT rolname FROM pg_roles WHERE rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication",
      );
      expect(roles.stdout.trim()).toBe("postgres");
      expect((await query(app, "APP_DB_PASSWORD", app, "SELECT current_user")).stdout.trim()).toBe(app);
      for (const other of ["langfuse", "postgres", "template1"])
        expect((await query(app, "APP_DB_PASSWORD", other, "SELECT 1")).stderr).toContain(
          `permission denied for database "${other}"`,
        );
      expect((await query("langfuse", "LANGFUSE_DB_PASSWORD", app, "SELECT 1")).stderr).toContain(
        "permission denied for database",
      );
      expect((await query(app, "LANGFUSE_DB_PASSWORD", app, "SELECT 1")).stderr).toContain(
        "password authentication failed",
      );
    }
  });

  it("refuses reserved and equal names where the database is made, and leaves the superuser alone", async () => {
    const each = stack("pocketflow");
    for (const [variable, value] of [
      ["DB_USER", "postgres"],
      ["DB_USER", "pg_monitor"],
      ["DB_USER", "pocketflow"],
      ["DB_NAME", "pocketflow"],
      ["DB_NAME", "template1"],
    ]) {
      const { code, stderr } = await each.compose(
        "run",
        "--rm",
        "--no-deps",
        "-e",
        `${variable}=${value}`,
        "langfuse-database",
      );
      expect([variable, value, code]).toEqual([variable, value, 1]);
      expect(stderr).toContain(`LANGFUSE_${variable}: ${value} cannot be Langfuse's`);
    }
    const roles = "SELECT rolname FROM pg_roles WHERE rolsuper";
    const found = await each.ok("exec", "-T", "postgres", "psql", "-h", "127.0.0.1", "-U", "postgres", "-Atc", roles);
    expect(found.trim()).toBe("postgres");
  });

  it("answers to examples/connect.py of each framework", async () => {
    const python = pythonWith("psycopg");
    if (python === undefined) leftOut("PostgreSQL in examples/connect.py", "python3 with psycopg");
    for (const name of NAMES) {
      const { code, stdout, stderr } = await run(python ?? "python3", ["examples/connect.py"], {
        cwd: stack(name).dir,
      });
      expect([name, code, stderr]).toEqual([name, 0, ""]);
      expect(stdout).toMatch(/^langfuse: .*a trace was sent and read back$/m);
      expect(stdout).toMatch(/^qdrant: stored two points/m);
      if (python !== undefined) expect(stdout).toContain(`postgres: connected to ${prefix(name)} as ${prefix(name)}`);
    }
  });

  it("passes every probe of validate --live, asked in all of them at once", async () => {
    const { stdout } = await cli(["validate", "--live", "--json", "--timeout", "30"], { cwd });
    const { frameworks } = JSON.parse(stdout) as {
      frameworks: { name: string; probes: { id: string; service: string; outcome: string; message: string }[] }[];
    };
    expect(frameworks.map(({ name }) => name).toSorted()).toEqual(NAMES.toSorted());
    const asked = frameworks.flatMap(({ name, probes }) => probes.map((probe) => ({ name, ...probe })));
    expect(asked.length).toBeGreaterThan(5 * 40);
    expect(asked.filter(({ outcome }) => outcome !== "pass")).toEqual([]);
  });

  it("brings a killed container back", async () => {
    for (const service of ["qdrant", "postgres", "valkey"]) {
      const id = `crewai_${service}`;
      const started = (await docker("inspect", "-f", "{{.State.StartedAt}}", id)).trim();
      // `docker kill` counts as stopped by hand; a crash is a process that ends by itself.
      const { code } = await run("sh", ["-c", `kill -9 "$(docker inspect -f '{{.State.Pid}}' ${id})"`]);
      expect(code).toBe(0);
      await eventually(async () => {
        const [state = "", since = ""] = (
          await docker("inspect", "-f", "{{.State.Health.Status}} {{.State.StartedAt}}", id)
        )
          .trim()
          .split(" ");
        expect([state, since === started]).toEqual(["healthy", false]);
      });
    }
  });

  it("keeps data over down and up", async () => {
    const each = stack("pydantic-ai");
    const url = `${each.env.get("QDRANT_URL") ?? ""}/collections/kept`;
    const headers = { "api-key": each.env.get("QDRANT_API_KEY") ?? "", "content-type": "application/json" };
    const sql = async (text: string): Promise<string> => each.sql(text, "pydantic_ai");
    await sql("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
    expect(
      (await fetch(url, { method: "PUT", headers, body: JSON.stringify({ vectors: { size: 2, distance: "Dot" } }) }))
        .status,
    ).toBe(200);
    const points = Array.from({ length: 50 }, (_, id) => ({ id, vector: [id, 1], payload: { id } }));
    expect(
      (await fetch(`${url}/points?wait=true`, { method: "PUT", headers, body: JSON.stringify({ points }) })).status,
    ).toBe(200);
    await each.ok("down");
    await each.ok("up", "-d", "--wait");
    expect(await sql("SELECT count(*), sum(n) FROM kept")).toBe("1000|500500");
    const found = (await (
      await fetch(`${url}/points/count`, { method: "POST", headers, body: JSON.stringify({ exact: true }) })
    ).json()) as { result: { count: number } };
    expect(found.result.count).toBe(50);
  });

  it("starts each service alone with what it needs", async () => {
    const each = stack("dspy");
    const needs: Record<string, string[]> = {
      postgres: ["postgres"],
      qdrant: ["qdrant"],
      valkey: ["valkey"],
      clickhouse: ["clickhouse"],
      seaweedfs: ["seaweedfs"],
      langfuse: ["clickhouse", "langfuse", "postgres", "seaweedfs", "valkey"],
      "langfuse-worker": ["clickhouse", "langfuse", "langfuse-worker", "postgres", "seaweedfs", "valkey"],
    };
    for (const [service, running] of Object.entries(needs)) {
      await each.ok("down", "--timeout", "5");
      await each.ok("up", "-d", "--wait", service);
      expect((await each.ok("ps", "--services")).trim().split("\n").toSorted()).toEqual(running);
    }
  });
});

/** A host beyond the engine's networks, in a network namespace of its own; hands over where it listens, as bash writes it. */
async function withOutsideHost(
  work: (address: string, routed: (script: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const ip = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await run("ip", args);
    if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
  };
  const name = "fi-outside";
  await ip("netns", "add", name);
  const server = start(
    "ip",
    [
      "netns",
      "exec",
      name,
      process.execPath,
      "-e",
      "require('net').createServer((s) => s.end()).listen(8080, () => console.log('up'))",
    ],
    { timeout: 60_000 },
  );
  try {
    await ip("link", "add", "fi-out0", "type", "veth", "peer", "name", "fi-out1", "netns", name);
    await ip("addr", "add", "198.51.100.1/24", "dev", "fi-out0");
    await ip("link", "set", "fi-out0", "up");
    await ip("-n", name, "addr", "add", "198.51.100.2/24", "dev", "fi-out1");
    await ip("-n", name, "link", "set", "fi-out1", "up");
    await eventually(async () => {
      expect(await opens("198.51.100.2", 8080)).toBe(true);
    });
    // As somebody in the LAN who knows that this host has the container networks behind it.
    await ip("-n", name, "route", "add", "default", "via", "198.51.100.1");
    await work("198.51.100.2/8080", async (script) => shell("ip", ["netns", "exec", name, "bash", "-c", script]));
  } finally {
    server.child.kill("SIGKILL");
    await server.result;
    await ip("netns", "delete", name);
  }
}

async function shell(command: string, args: string[]): Promise<string> {
  const { stdout } = await run(command, args, { timeout: 60_000 });
  return stdout;
}

async function serverOn(address: string): Promise<Server> {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function opens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.setTimeout(3000, () => socket.destroy());
    socket.once("connect", () => {
      resolve(true);
      socket.destroy();
    });
    socket.once("error", () => {
      resolve(false);
    });
    socket.once("close", () => {
      resolve(false);
    });
  });
}

/** Tries for a minute. */
async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
