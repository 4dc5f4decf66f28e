import fs from "fs-extra";
import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Where a hostile case is laid out: `bad` is the framework that somebody else made, `outside` holds the victims. */
interface Ground {
  root: string;
  bad: string;
  outside: string;
}

/** Something that a repository, an archive or another user may have put into a root. */
export interface Hostile {
  name: string;
  lay: (ground: Ground) => void;
  /**
   * What a command that is about another framework may end with besides 0, because it is about the whole root:
   * `reading` for those that say so and go on, `writing` for those that cannot be sure of the ports.
   */
  reading?: readonly number[];
  writing?: readonly number[];
}

/** Content of the victims: it may be printed by no command. */
export const VICTIM_TEXT = "victim-7f3a9c2e";

const put = (path: string, text: string): void => {
  fs.removeSync(path);
  fs.outputFileSync(path, text);
};
const link = (target: string, path: string): void => {
  fs.removeSync(path);
  fs.ensureDirSync(join(path, ".."));
  fs.symlinkSync(target, path);
};
const pipe = (path: string): void => {
  fs.removeSync(path);
  fs.ensureDirSync(join(path, ".."));
  execFileSync("mkfifo", [path]);
};
const directory = (path: string): void => {
  fs.removeSync(path);
  fs.ensureDirSync(path);
};
/** The base says that a file was generated otherwise: an update is due, and with `--diff` the file is shown. */
const outdate = (bad: string, file: string): void => put(join(bad, `.scaffold/base/${file}.base`), "generated once\n");

const JOURNAL = ".framework-infra.journal";
const JOURNAL_STEPS = [{ kind: "file", path: "dspy/README.md", staged: "0.next", before: null }];

const FILES = ["README.md", "compose.yaml", "examples/connect.py", "config/logging.yaml", ".env.template"];
const INPUTS = ["framework.yaml", ".scaffold/state.json"];

const doubling = Array.from({ length: 40 }, (_, n) => `A${String(n + 1)}=\${A${String(n)}}\${A${String(n)}}`);
const nested = "[".repeat(1_900_000);
const laughs = ["a0: &a0 [x, x]", ...Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`)];
const many = Array.from({ length: 16_000 }, (_, n) => `key${String(n)}: ${String(n)}`).join("\n");
const huge = `${"x".repeat(1023)}\n`.repeat(50 * 1024);

export const HOSTILE: readonly Hostile[] = [
  // H1: journals that were made elsewhere.
  {
    name: "a journal in a framework's directory whose staged file is a link",
    lay: ({ bad, outside }) => {
      link(join(outside, "secret"), join(bad, ".scaffold/journal/0.next"));
      put(
        join(bad, ".scaffold/journal/journal.json"),
        JSON.stringify({ schemaVersion: 1, entries: [{ path: "stolen", staged: "0.next", mode: 511, before: null }] }),
      );
    },
  },
  {
    name: "a journal in the root that came from elsewhere, its staged file a link",
    lay: ({ root, outside }) => {
      link(join(outside, "secret"), join(root, JOURNAL, "0.next"));
      put(
        join(root, JOURNAL, "journal.json"),
        JSON.stringify({ schemaVersion: 1, origin: null, steps: JOURNAL_STEPS }),
      );
    },
    writing: [1],
  },
  {
    name: "a journal that is a link to a directory",
    lay: ({ root, outside }) => link(outside, join(root, JOURNAL)),
    writing: [1],
  },
  { name: "a journal that is a file", lay: ({ root }) => put(join(root, JOURNAL), "x"), writing: [1] },
  { name: "a journal that is a pipe", lay: ({ root }) => pipe(join(root, JOURNAL)), writing: [1] },
  {
    name: "a journal whose list is a pipe",
    lay: ({ root }) => pipe(join(root, JOURNAL, "journal.json")),
    writing: [1],
  },
  {
    name: "a journal whose list is a link",
    lay: ({ root, outside }) => link(join(outside, "secret"), join(root, JOURNAL, "journal.json")),
    writing: [1],
  },
  {
    name: "a journal that was only prepared, with a link in it",
    lay: ({ root, outside }) => link(outside, join(root, JOURNAL, "0.next")),
  },
  {
    name: "a journal that was only prepared, with a pipe in it",
    lay: ({ root }) => pipe(join(root, JOURNAL, "0.next")),
  },
  // H3, H4: what a diff could show.
  ...FILES.map((file): Hostile => ({
    name: `${file} is a link to a file outside`,
    lay: ({ bad, outside }) => {
      outdate(bad, file);
      link(join(outside, "secret"), join(bad, file));
    },
  })),
  ...FILES.map((file): Hostile => ({
    name: `the base of ${file} is a link to a file outside`,
    lay: ({ bad, outside }) => link(join(outside, "secret"), join(bad, `.scaffold/base/${file}.base`)),
  })),
  {
    name: "README.md is a link to the environment of the process",
    lay: ({ bad }) => {
      outdate(bad, "README.md");
      link("/proc/self/environ", join(bad, "README.md"));
    },
  },
  {
    name: "config/ is a link to a directory outside",
    lay: ({ bad, outside }) => {
      outdate(bad, "config/logging.yaml");
      link(outside, join(bad, "config"));
    },
  },
  {
    name: "framework.yaml is a link to a file outside",
    lay: ({ bad, outside }) => link(join(outside, "secret"), join(bad, "framework.yaml")),
    reading: [1, 2],
  },
  {
    name: ".env is a link to a file outside",
    lay: ({ bad, outside }) => link(join(outside, "secret"), join(bad, ".env")),
  },
  {
    name: "the base is a link to a directory outside",
    lay: ({ bad, outside }) => link(outside, join(bad, ".scaffold/base")),
  },
  {
    name: ".scaffold is a link to a directory outside",
    lay: ({ bad, outside }) => link(outside, join(bad, ".scaffold")),
  },
  { name: "the base is a link that leads nowhere", lay: ({ bad }) => link("nowhere", join(bad, ".scaffold/base")) },
  {
    name: "PORT_ALLOCATION.md is a link to a file outside",
    lay: ({ root, outside }) => link(join(outside, "secret"), join(root, "PORT_ALLOCATION.md")),
    writing: [0, 1, 2],
  },
  // H5: what is no file.
  ...[...FILES, ".scaffold/base/README.md.base"].map((file): Hostile => ({
    name: `${file} is a pipe`,
    lay: ({ bad }) => pipe(join(bad, file)),
  })),
  ...INPUTS.map((file): Hostile => ({
    name: `${file} is a pipe`,
    lay: ({ bad }) => pipe(join(bad, file)),
    reading: [1, 2],
  })),
  { name: ".env is a pipe", lay: ({ bad }) => pipe(join(bad, ".env")) },
  {
    name: "PORT_ALLOCATION.md is a pipe",
    lay: ({ root }) => pipe(join(root, "PORT_ALLOCATION.md")),
    reading: [0, 1],
    writing: [0, 1, 2],
  },
  {
    name: "a link in the base that leads to its own directory",
    lay: ({ bad }) => link(".", join(bad, ".scaffold/base/a")),
  },
  { name: "a link in the base that leads to /", lay: ({ bad }) => link("/", join(bad, ".scaffold/base/x")) },
  { name: "a link in the directory that leads to /", lay: ({ bad }) => link("/", join(bad, "slash")) },
  { name: "a framework that is a link to itself", lay: ({ root }) => link("loop", join(root, "loop")) },
  // H6: what is broken in one directory.
  ...FILES.map((file): Hostile => ({ name: `${file} is a directory`, lay: ({ bad }) => directory(join(bad, file)) })),
  ...FILES.map((file): Hostile => ({
    name: `${file} is a link to itself`,
    lay: ({ bad }) => link(join(bad, file), join(bad, file)),
  })),
  ...INPUTS.flatMap((file): Hostile[] =>
    [
      ["empty", ""],
      ["NUL bytes", "\0\0\0\0"],
      ["nested without end", nested],
      ["50 MiB", huge],
    ].map(([what = "", text = ""]) => ({
      name: `${file}: ${what}`,
      lay: ({ bad }) => put(join(bad, file), text),
      reading: [1, 2],
    })),
  ),
  { name: ".env: NUL bytes", lay: ({ bad }) => put(join(bad, ".env"), "\0\0\0\0") },
  // H7: what grows.
  {
    name: ".env: lines that double",
    lay: ({ bad }) =>
      fs.appendFileSync(join(bad, ".env"), `A0=xxxxxxxx\n${doubling.join("\n")}\nQDRANT_PORT=\${A40}\n`),
  },
  {
    name: "a foreign compose file whose port doubles in the .env beside it",
    lay: ({ root }) => {
      put(join(root, "foreign/.env"), `A0=xxxxxxxx\n${doubling.join("\n")}\n`);
      put(join(root, "foreign/compose.yaml"), 'services:\n  a:\n    ports: ["${A40}:80"]\n');
    },
  },
  {
    name: "a foreign compose file that publishes every port",
    lay: ({ root }) =>
      put(
        join(root, "foreign/compose.yaml"),
        'services:\n  a:\n    ports:\n      - "1-65535:1-65535"\n      - "127.0.0.1:1-65535:1-65535/udp"\n',
      ),
  },
  {
    name: "a foreign compose file whose aliases double",
    lay: ({ root }) =>
      put(join(root, "foreign/compose.yaml"), `${laughs.join("\n")}\nservices:\n  a:\n    ports: *a40\n`),
  },
  {
    name: "a foreign compose file nested without end",
    lay: ({ root }) => put(join(root, "foreign/compose.yaml"), `ports: ${nested}`),
  },
  {
    name: "a foreign compose file of dashes",
    lay: ({ root }) => put(join(root, "foreign/compose.yaml"), `ports: a\nx:\n  ${"- ".repeat(900_000)}a`),
  },
  {
    name: "a foreign compose file of 50 MiB",
    lay: ({ root }) => put(join(root, "foreign/compose.yaml"), `ports: ${huge}`),
  },
  {
    name: "framework.yaml with 16,000 unknown keys",
    lay: ({ bad }) => fs.appendFileSync(join(bad, "framework.yaml"), many),
    reading: [1, 2],
  },
  {
    name: "compose.yaml with 16,000 more keys",
    lay: ({ bad }) => {
      outdate(bad, "compose.yaml");
      fs.appendFileSync(join(bad, "compose.yaml"), `\nx-many:\n${many.replaceAll(/^/gm, "  ")}\n`);
    },
  },
  {
    name: "state.json of git's markers, never closed",
    lay: ({ bad }) =>
      put(join(bad, ".scaffold/state.json"), "<<<<<<< a\n".repeat(50_000) + "||||||| b\n".repeat(50_000)),
    reading: [1, 2],
  },
  {
    name: "a foreign compose file that publishes on 60,000 digits, 2,000 times",
    lay: ({ root }) => {
      put(join(root, "foreign/.env"), `X=${"1".repeat(60_000)}\n`);
      const ports = Array.from({ length: 2_000 }, (_, n) => `      - "\${X}:${String(10_000 + n)}:80"\n`).join("");
      put(join(root, "foreign/compose.yaml"), `services:\n  a:\n    image: x\n    ports:\n${ports}`);
    },
  },
  {
    name: ".env with 16,000 more lines",
    lay: ({ bad }) => fs.appendFileSync(join(bad, ".env"), many.replaceAll(": ", "=").toUpperCase()),
  },
  ...[...FILES, ".env"].map((file): Hostile => ({
    name: `${file} of 50 MiB`,
    lay: ({ bad }) => {
      if (file !== ".env") outdate(bad, file);
      put(join(bad, file), huge);
    },
  })),
  // H8: compose files that lie elsewhere.
  {
    name: "a foreign compose file that is a link to itself",
    lay: ({ root }) => link("compose.yaml", join(root, "foreign/compose.yaml")),
  },
  {
    name: "a foreign compose file that is a link to a file outside",
    lay: ({ root, outside }) => link(join(outside, "secret"), join(root, "foreign/compose.yaml")),
  },
  { name: "a foreign compose file that is a pipe", lay: ({ root }) => pipe(join(root, "foreign/compose.yaml")) },
  {
    name: "a compose file that includes itself, a pipe, a device and a file outside",
    lay: ({ root, outside }) => {
      pipe(join(root, "foreign/pipe.yaml"));
      link("/dev/zero", join(root, "foreign/zero.yaml"));
      put(
        join(root, "foreign/compose.yaml"),
        `include: [compose.yaml, pipe.yaml, zero.yaml, ../../outside/secret, "${outside}/secret", "git@host:repo"]\n`,
      );
    },
  },
  {
    name: "directories without end",
    lay: ({ root }) => {
      for (let n = 0; n < 3_000; n += 1) fs.ensureDirSync(join(root, "foreign", String(n % 50), String(n)));
      fs.ensureDirSync(join(root, "foreign", "deep/".repeat(300)));
    },
  },
  // H9: locks.
  { name: "a lock that is a file", lay: ({ root }) => put(join(root, ".framework-infra.lock"), "x"), writing: [1] },
  {
    name: "a lock that is a link",
    lay: ({ root, outside }) => link(outside, join(root, ".framework-infra.lock")),
    writing: [1],
  },
  {
    name: "a lock from the future",
    lay: ({ root }) => {
      directory(join(root, ".framework-infra.lock"));
      fs.utimesSync(join(root, ".framework-infra.lock"), 4_000_000_000, 4_000_000_000);
    },
    writing: [1],
  },
];
