// A preload (`NODE_OPTIONS=--import=file:///.../kill-at.mjs`) that counts what a Node program writes, and stops it there.
//
//   FI_KILL_BELOW=DIR     only what happens below this directory counts
//   FI_KILL_COUNT=FILE    `N name path` for each call that counts, a line each, written before the call is made
//   FI_KILL_AT=N          the process kills itself (SIGKILL) right before the N-th of them
//   FI_KILL_FAIL=N:CODE   the N-th of them fails with that error (ENOSPC, EIO, ...) instead; `N+:CODE`: all from there on
//
// Every call of node:fs that can change a disk is replaced, in its three forms, on the one object that `import`,
// `require("fs")` and clones such as graceful-fs's take it from. A call that others are made of counts once, but one
// that is several steps to the kernel counts a step at a time, because a kill comes between them: writing a file by its
// path and copying one (it is empty first), and mkdir and rm that are recursive (synchronous forms only).
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { constants } from "node:os";
import { join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { getSystemErrorMap } from "node:util";

const env = process.env;
const BELOW = env.FI_KILL_BELOW ?? "";
const COUNT = env.FI_KILL_COUNT ?? "";
const AT = Number(env.FI_KILL_AT ?? 0);
const [, FAIL = 0, LASTING = "", CODE = ""] = /^(\d+)(\+?):(E[A-Z0-9]+)$/.exec(env.FI_KILL_FAIL ?? "") ?? [];
if (env.FI_KILL_FAIL !== undefined && constants.errno[CODE] === undefined)
  throw new Error(`FI_KILL_FAIL=${env.FI_KILL_FAIL} is not N:CODE`);

/** Which argument is a path that the call changes. */
const PATHS = {
  appendFile: [0],
  chmod: [0],
  chown: [0],
  copyFile: [1],
  cp: [1],
  lchmod: [0],
  lchown: [0],
  link: [1],
  lutimes: [0],
  mkdir: [0],
  mkdtemp: [0],
  open: [0],
  rename: [0, 1],
  rm: [0],
  rmdir: [0],
  symlink: [1],
  truncate: [0],
  unlink: [0],
  utimes: [0],
  writeFile: [0],
};
/** Calls on an open file; they count when it was opened below the directory. */
const OF_FD = ["fchmod", "fchown", "fdatasync", "fsync", "ftruncate", "futimes", "write", "writev"];
const OF_HANDLE = [
  "appendFile",
  "chmod",
  "chown",
  "datasync",
  "sync",
  "truncate",
  "utimes",
  "write",
  "writeFile",
  "writev",
];

// Node's own recursive rm and cp take what they call from `fs` when they are first used: that must be the real ones.
const NOWHERE = join(resolve(BELOW), "..", "no", "such", "file");
fs.rmSync(NOWHERE, { recursive: true, force: true });
try {
  fs.cpSync(NOWHERE, `${NOWHERE}2`);
} catch {
  // It is loaded.
}
const real = { ...fs, promises: { ...fs.promises } };
/** What a counted call calls itself does not count again, however late. */
const inside = new AsyncLocalStorage();
/** Path of each file that was opened below the directory. */
const opened = new Map();
const touched = new Set();
let count = 0;

/** One step: logged, then killed or failed where that is asked for. */
function step(name, path) {
  count += 1;
  if (COUNT !== "") inside.run(true, () => real.appendFileSync(COUNT, `${count} ${name} ${path}\n`));
  if (count === AT) {
    process.kill(process.pid, "SIGKILL");
    // The signal comes before this ends.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  if (count === Number(FAIL) || (LASTING === "+" && count > Number(FAIL)))
    throw failure(name.replace(/Sync$/, ""), path);
}

function failure(syscall, path) {
  const errno = -constants.errno[CODE];
  const words = getSystemErrorMap().get(errno)?.[1] ?? "failed";
  return Object.assign(new Error(`${CODE}: ${words}, ${syscall} '${path}'`), { code: CODE, errno, syscall, path });
}

/** The path that makes a call count; undefined when it does not. */
function counted(name, args) {
  if (inside.getStore()) return undefined;
  const [first] = args;
  const fd = typeof first === "object" && typeof first?.fd === "number" ? first.fd : first;
  if (typeof fd === "number") return opened.get(fd);
  const path = (PATHS[name] ?? []).map((index) => plain(args[index])).find(isBelow);
  if (name !== "utimes" && name !== "lutimes") return path;
  // The owner of a lock touches it by the clock: that is no step of the program, and no two runs would be the same.
  if (touched.has(path)) return undefined;
  touched.add(path);
  return path;
}

function plain(path) {
  return resolve(path instanceof URL ? fileURLToPath(path) : String(path));
}

function isBelow(path) {
  return BELOW !== "" && (path === BELOW || path.startsWith(BELOW + sep));
}

/** A file that is only read is followed too: a directory is opened so to be flushed. */
function isWriting(flags) {
  const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = fs.constants;
  if (typeof flags === "number") return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) !== 0;
  return typeof flags === "string" && !/^(?:r|rs|sr)$/.test(flags);
}

function follow(fd, path) {
  if (isBelow(path)) opened.set(fd, path);
  else opened.delete(fd);
}

/** Makes a call that is one step, or none. */
function once(name, path, call) {
  if (path === undefined) return call();
  step(name, path);
  return inside.run(true, call);
}

const SYNC = {
  openSync(path, flags, mode) {
    const below = isWriting(flags) ? counted("open", [path]) : undefined;
    const fd = once("openSync", below, () => real.openSync(path, flags, mode));
    if (!inside.getStore()) follow(fd, plain(path));
    return fd;
  },
  writeFileSync: (path, data, options) => writeWhole("writeFileSync", path, data, options, "w"),
  appendFileSync: (path, data, options) => writeWhole("appendFileSync", path, data, options, "a"),
  copyFileSync(from, to, mode = 0) {
    const below = counted("copyFile", [from, to]);
    const { COPYFILE_EXCL } = fs.constants;
    const flag = (mode & COPYFILE_EXCL) === 0 ? "w" : "wx";
    if (below !== undefined) once("openSync", below, () => real.writeFileSync(to, "", { flag }));
    once("copyFileSync", below, () => real.copyFileSync(from, to, below === undefined ? mode : mode & ~COPYFILE_EXCL));
  },
  mkdirSync(path, options) {
    const below = counted("mkdir", [path]);
    if (below === undefined || !options?.recursive)
      return once("mkdirSync", below, () => real.mkdirSync(path, options));
    const missing = [];
    for (let dir = below; !real.existsSync(dir); dir = resolve(dir, "..")) missing.unshift(dir);
    if (missing.length === 0) return once("mkdirSync", below, () => real.mkdirSync(path, options));
    for (const dir of missing) once("mkdirSync", dir, () => real.mkdirSync(dir, { mode: options.mode }));
    return missing[0];
  },
  rmSync(path, options) {
    const below = counted("rm", [path]);
    if (below === undefined || !options?.recursive || !isDirectory(below))
      return once("rmSync", below, () => real.rmSync(path, options));
    removeTree(below);
  },
};

function writeWhole(name, path, data, options, flag) {
  const below = counted("writeFile", [path]);
  const set = typeof options === "string" ? { encoding: options } : (options ?? {});
  if (below === undefined || typeof path === "number") return once(name, below, () => real[name](path, data, options));
  const fd = once("openSync", below, () => real.openSync(path, set.flag ?? flag, set.mode));
  try {
    once(name, below, () => real.writeFileSync(fd, data, { ...set, flag: undefined, mode: undefined }));
  } finally {
    real.closeSync(fd);
  }
}

function isDirectory(path) {
  return real.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function removeTree(dir) {
  for (const name of real.readdirSync(dir).sort()) {
    const path = join(dir, name);
    if (isDirectory(path)) removeTree(path);
    else once("unlinkSync", path, () => real.unlinkSync(path));
  }
  once("rmdirSync", dir, () => real.rmdirSync(dir));
}

/** The form with a callback. */
function withCallback(name) {
  return (...args) => {
    const path = name !== "open" || isWriting(args[1]) ? counted(name, args) : undefined;
    const given = args.at(-1);
    if (inside.getStore() || typeof given !== "function") return real[name](...args);
    const callback = AsyncResource.bind((error, ...results) => {
      if (name === "open" && !error) follow(results[0], plain(args[0]));
      given(error, ...results);
    });
    try {
      return once(name, path, () => real[name](...args.slice(0, -1), callback));
    } catch (error) {
      if (error.syscall === undefined) throw error;
      process.nextTick(callback, error);
    }
  };
}

/** The form with a promise. */
function withPromise(name) {
  return async (...args) => {
    const path = name !== "open" || isWriting(args[1]) ? counted(name, args) : undefined;
    const result = await once(name, path, () => real.promises[name](...args));
    if (name === "open" && !inside.getStore()) followHandle(result, plain(args[0]));
    return result;
  };
}

function followHandle(handle, path) {
  follow(handle.fd, path);
  for (const name of OF_HANDLE) {
    const method = handle[name].bind(handle);
    handle[name] = async (...args) => once(name, counted(name, [handle.fd]), () => method(...args));
  }
}

for (const name of [...Object.keys(PATHS), ...OF_FD]) {
  const sync = `${name}Sync`;
  put(fs, sync, SYNC[sync] ?? ((...args) => once(sync, counted(name, args), () => real[sync](...args))));
  put(fs, name, withCallback(name));
  put(fs.promises, name, withPromise(name));
}
syncBuiltinESMExports();

function put(target, name, wrapper) {
  if (typeof target[name] !== "function") return;
  // With what util.promisify and callers who count arguments look at.
  target[name] = Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(target[name]));
}
