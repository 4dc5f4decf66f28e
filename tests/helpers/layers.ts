import fs from "fs-extra";
import { parseSync, Visitor } from "oxc-parser";
import { dirname, join, normalize } from "node:path";

import { PROJECT } from "./project.ts";

/** A room: a folder, or the files at the root that bring the others together. */
interface Room {
  name: string;
  /** Paths of its files. */
  files: RegExp;
  /** What it may import of Node that touches the world: nothing, what reads, or everything. */
  world: "nothing" | "reads" | "all";
  /** Rooms below it that it must not know all the same. */
  not?: readonly string[];
}

/** From top to bottom: a room imports itself and rooms below it, never one above. docs/architecture.md explains them. */
const ROOMS: readonly Room[] = [
  { name: "entry", files: /^(?:plopfile|src\/(?:main|plop))\.ts$/, world: "nothing" },
  { name: "generators", files: /^generators\//, world: "nothing", not: ["cli", "commands"] },
  { name: "cli", files: /^src\/cli\//, world: "nothing" },
  { name: "commands", files: /^src\/commands\//, world: "nothing" },
  { name: "report", files: /^src\/report\//, world: "nothing" },
  { name: "flow", files: /^src\/flow\//, world: "nothing" },
  { name: "apply", files: /^src\/apply\//, world: "all" },
  { name: "root", files: /^src\/root\//, world: "reads" },
  { name: "store", files: /^src\/store\//, world: "reads" },
  { name: "probes", files: /^src\/probes\//, world: "nothing" },
  { name: "host", files: /^src\/host\//, world: "reads" },
  { name: "rules", files: /^src\/rules\//, world: "nothing" },
  { name: "plan", files: /^src\/plan\//, world: "nothing" },
  { name: "merge", files: /^src\/merge\//, world: "nothing" },
  { name: "render", files: /^src\/render\//, world: "nothing" },
  { name: "ports", files: /^src\/ports\//, world: "nothing" },
  { name: "compose", files: /^src\/compose\//, world: "nothing" },
  { name: "env", files: /^src\/env\//, world: "nothing" },
  { name: "spec", files: /^src\/spec\//, world: "nothing" },
  { name: "catalogue", files: /^src\/catalogue\//, world: "reads" },
  { name: "lib", files: /^src\/lib\//, world: "nothing" },
];

/** Only these rooms may load what asks questions. */
const MAY_ASK = new Set(["entry", "generators"]);
const ASKING = /^(?:inquirer|@inquirer\/.*|plop|node-plop)$/;

const WORLD =
  /^(?:node:)?(?:fs|fs\/promises|fs-extra|fs-extra\/esm|child_process|net|dgram|http|https|http2|tls|dns|os|process|worker_threads|cluster|timers|timers\/promises|readline|module|vm)$/;
const READS = new Set([
  "accessSync",
  "constants",
  "existsSync",
  "lstatSync",
  "readdirSync",
  "readFileSync",
  "realpathSync",
  "statSync",
  "statfsSync",
  "Dirent",
]);
/** What only `host` may use as well: a device is read from an open file. What it opens, it opens to read. */
const READS_OPEN = new Set(["openSync", "fstatSync", "readSync", "closeSync"]);
const OPENED_TO_READ = /^(?:|"r"|constants\.O_RDONLY(?: \| (?:constants\.)?O_(?:NONBLOCK|NOFOLLOW))*)$/;

interface Import {
  what: string;
  /** Imported names; `*` for everything there is, as by a default, a namespace or a dynamic import. */
  names: readonly string[];
}

/** Every import of a file: static, dynamic, of types alone, and what is exported from elsewhere. */
function importsOf(path: string, text: string): Import[] {
  const { module, program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message ?? "cannot be read"}`);
  const found: Import[] = module.staticImports.map(({ moduleRequest, entries }) => ({
    what: moduleRequest.value,
    names: entries.map(({ importName }) => importName.name ?? "*"),
  }));
  for (const { entries } of module.staticExports)
    for (const { moduleRequest } of entries)
      if (moduleRequest !== null) found.push({ what: moduleRequest.value, names: ["*"] });
  const asText = (value: unknown): string => (typeof value === "string" ? value : "(computed)");
  new Visitor({
    ImportExpression: ({ source }) => {
      found.push({ what: asText("value" in source ? source.value : undefined), names: ["*"] });
    },
    TSImportType: ({ source }) => {
      found.push({ what: asText(source.value), names: [] });
    },
    CallExpression: ({ callee }) => {
      const name = callee.type === "Identifier" ? callee.name : "";
      const called = callee.type === "MemberExpression" && "name" in callee.property ? callee.property.name : "";
      if (name === "require" || called === "getBuiltinModule") found.push({ what: "(computed)", names: ["*"] });
    },
  }).visit(program);
  return found;
}

/**
 * What is wrong with the structure of a set of files: an import that leads up, a file that belongs to no room, a cycle,
 * a room that touches the world though it must not, a clock or chance where the same input must give the same bytes.
 * @param files text by path, relative to the project
 */
export function structureProblems(files: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, text] of files) {
    const level = levelOf(path);
    const room = ROOMS[level];
    if (room === undefined) {
      problems.push(`${path} belongs to no room`);
      continue;
    }
    const imports = importsOf(path, text);
    graph.set(path, []);
    for (const { what, names } of imports) {
      if (what.startsWith(".")) {
        const target = normalize(join(dirname(path), what));
        graph.get(path)?.push(target);
        const to = ROOMS[levelOf(target)];
        if (to === undefined) problems.push(`${path} imports ${target}, which belongs to no room`);
        else if (ROOMS.indexOf(to) < level)
          problems.push(`${path} imports ${target}: ${to.name} lies above ${room.name}`);
        else if (room.not?.includes(to.name) === true)
          problems.push(`${path} imports ${target}: ${room.name} must not know ${to.name}`);
      } else problems.push(...outside(path, room, what, names));
    }
    const opened = room.name === "host" ? text : "";
    for (const [, flags = ""] of opened.matchAll(/\bopenSync\([^,()]*,?([^()]*)\)/g))
      if (!OPENED_TO_READ.test(flags.trim())) problems.push(`${path} opens a file to write: only apply writes`);
    if (room.world === "nothing" && !MAY_USE_PROCESS.test(path)) {
      const found = /\b(?:Date\.now|new Date\b|Math\.random|performance\.now|process\.(?!getuid))/.exec(
        text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ""),
      );
      if (found !== null) problems.push(`${path} uses ${found[0]}: ${room.name} gets what it needs from its caller`);
    }
  }
  return [...problems, ...cyclesIn(graph)];
}

// Where a process is what it is about.
const MAY_USE_PROCESS = /^(?:src\/(?:main|plop|cli\/.*)|generators\/ask)\.ts$/;

function outside(path: string, room: Room, what: string, names: readonly string[]): string[] {
  if (what === "(computed)") return [`${path} loads something that cannot be seen`];
  if (ASKING.test(what) && !MAY_ASK.has(room.name) && names.length > 0)
    return [`${path} loads ${what}: only generators ask`];
  if (!WORLD.test(what) || room.world === "all") return [];
  if (room.world === "nothing") return [`${path} imports ${what}: ${room.name} does not touch the world`];
  if (!/^(?:node:)?fs(?:-extra|-extra\/esm|\/promises)?$/.test(what)) {
    return room.name === "host" ? [] : [`${path} imports ${what}: only host asks this machine`];
  }
  const reads = (name: string): boolean => READS.has(name) || (room.name === "host" && READS_OPEN.has(name));
  const writing = names.filter((name) => !reads(name));
  return writing.map((name) => `${path} imports ${name} of ${what}: only apply writes`);
}

function levelOf(path: string): number {
  return ROOMS.findIndex(({ files }) => files.test(path));
}

/** Each cycle once, by its files. */
function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const cycle = trail.slice(start);
      const first = cycle.indexOf(cycle.toSorted()[0] ?? "");
      found.add(`cycle: ${[...cycle.slice(first), ...cycle.slice(0, first)].join(" -> ")}`);
      return;
    }
    if (done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return [...found];
}

/** Every source file of the program. */
export function sourceFiles(): Map<string, string> {
  const below = (folder: string): string[] =>
    fs
      .readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => `${folder}/${path}`);
  const paths = ["plopfile.ts", ...below("generators"), ...below("src")];
  return new Map(paths.map((path) => [path, fs.readFileSync(join(PROJECT, path), "utf8")]));
}
