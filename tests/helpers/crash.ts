import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import type { Outcome } from "./cli.ts";
import { Workspace } from "./project-dir.ts";
import {
  addableSecrets,
  ageLocks,
  byTwo,
  countWrites,
  differences,
  failAt,
  gitDir,
  killAt,
  plainly,
  secretsIn,
  treeOf,
  type Tree,
} from "./sweep.ts";
import { removeDir } from "./temp.ts";

/** A command that writes, in a root where it has something to do. */
export interface Scenario {
  name: string;
  /** Makes the root. */
  start: (work: Workspace) => Promise<void>;
  args: Args;
  /** Commands that write, given after a crash in turns. Without one they change nothing. */
  next: readonly Args[];
  /** Where there is no such command: `next` has one, which adds something to the root, and this one adds more to it. */
  last?: Args;
  /**
   * One that is refused. It may leave alone what was interrupted, or bring it to its end as every other one does,
   * but nothing between the two.
   */
  refused?: Args;
  /** Commands that give states between the old one and the new one that may be left too. */
  through?: readonly Args[];
  /** Commands that give what may be left beside that when a write is refused: where one failed, others go on. */
  apart?: readonly Args[];
}

type Args = readonly string[];

/** A state that a crash may leave: what a next command makes of it, and its exit code. */
interface Ending {
  state: string;
  isApart: boolean;
  code: number | null;
  tree: Tree;
}

interface Next {
  args: Args;
  isRefused: boolean;
  endings: readonly Ending[];
}

/** A command's crashes: each in a copy of the scenario's root. Every check gives problems in words; none is good. */
export class Crash {
  /** Each call that writes when nothing disturbs the command. */
  calls: readonly string[] = [];
  readonly #scenario: Scenario;
  readonly #dir: string;
  #git = "";
  #made = 0;
  #secrets: ReadonlySet<string> = new Set();
  #next: readonly Next[] = [];
  #last: Next | undefined;

  private constructor(scenario: Scenario, dir: string) {
    this.#scenario = scenario;
    this.#dir = dir;
  }

  /** @param dir for the copies; the caller removes it */
  static async of(scenario: Scenario, dir: string): Promise<Crash> {
    const crash = new Crash(scenario, dir);
    await crash.#prepare();
    return crash;
  }

  async #prepare(): Promise<void> {
    const { start, args, through = [], apart = [], next, last, refused } = this.#scenario;
    const old = join(this.#dir, "old");
    mkdirSync(old, { recursive: true });
    this.#git = await gitDir(join(this.#dir, "git"));
    await start(new Workspace(old));
    this.#secrets = secretsIn(old);
    const states = ["old"];
    const add = async (state: string, from: string, command: Args): Promise<void> => {
      states.push(state);
      cpSync(join(this.#dir, from), join(this.#dir, state), COPY);
      const { outcome, calls } = await countWrites(command, join(this.#dir, state));
      if (outcome.code !== 0) throw new Error(`${command.join(" ")} ends with ${says(outcome)}`);
      if (state === "new") this.calls = calls;
    };
    for (const [index, command] of through.entries()) await add(`new-in-part-${String(index + 1)}`, "old", command);
    for (const [index, command] of apart.entries()) await add(`${APART}-${String(index + 1)}`, "old", command);
    await add("new", "old", args);
    const endings = async (command: Args, changes = false): Promise<Ending[]> =>
      byTwo(states, async (state) => this.#ending(state, command, changes));
    const found: Next[] = [];
    for (const each of next)
      found.push({ args: each, isRefused: false, endings: await endings(each, last !== undefined) });
    if (refused !== undefined) found.push({ args: refused, isRefused: true, endings: await endings(refused) });
    this.#next = found;
    if (last === undefined) return;
    for (const state of ["old", "new"]) await add(`${state}-and-next`, state, next[0] ?? []);
    this.#last = { args: last, isRefused: false, endings: await endings(last, true) };
  }

  async #ending(state: string, next: Args, changes: boolean): Promise<Ending> {
    return this.#in(async (cwd) => {
      const before = this.#tree(cwd);
      const { code } = await plainly(next, cwd);
      const tree = this.#tree(cwd);
      // What mends a mixture by itself would prove nothing.
      const changed = changes ? [] : differences(tree, before);
      if (changed.length > 0) throw new Error(`"${next.join(" ")}" changes the ${state} root: ${changed.join(", ")}`);
      return { state, isApart: state.startsWith(APART), code, tree };
    }, state);
  }

  /** The call by which a change is decided, as far as that can be seen from outside: the first rename. */
  get decisive(): number {
    const at = this.calls.findIndex((call) => call.startsWith("rename"));
    if (at < 0) throw new Error("it renames nothing, so when is it decided?");
    return at + 1;
  }

  /** Killed right before the n-th call; then the next command. */
  async killed(n: number): Promise<string[]> {
    return this.#in(async (cwd) => {
      const problems = await this.#kill(n, this.#scenario.args, cwd);
      problems.push(...(await this.#leak(cwd)), ...(await this.#recover(cwd, this.#nextAt(n))));
      return named(`killed ${this.#at(n)}`, problems);
    });
  }

  /** Killed right before the n-th call, and the next command right before its own calls that are asked for. */
  async killedTwice(n: number, choose: (total: number) => number[]): Promise<string[]> {
    const { args } = this.#nextAt(n);
    const calls = await this.#in(async (cwd) => {
      await this.#kill(n, this.#scenario.args, cwd);
      return (await countWrites(args, cwd)).calls;
    });
    const found: string[] = [];
    for (const m of choose(calls.length)) {
      await this.#in(async (cwd) => {
        const problems = await this.#kill(n, this.#scenario.args, cwd);
        problems.push(...(await this.#kill(m, args, cwd)), ...(await this.#leak(cwd)));
        problems.push(...(await this.#recover(cwd, this.#last ?? this.#nextAt(m))));
        const where = `${String(m)} of ${String(calls.length)} (${calls[m - 1] ?? "?"})`;
        found.push(...named(`killed ${this.#at(n)}, and "${args.join(" ")}" at ${where}`, problems));
      });
    }
    return found;
  }

  /** The n-th call is refused with an error of the system; then the next command. */
  async failed(n: number, code: string): Promise<string[]> {
    return this.#in(async (cwd) => {
      const outcome = await failAt(n, code, this.#scenario.args, cwd);
      ageLocks(join(cwd, "frameworks"));
      const silent = outcome.code !== 0 && outcome.stderr === "" ? ["says nothing"] : [];
      const problems = [
        ...silent,
        ...oddities(outcome),
        ...(await this.#leak(cwd)),
        ...(await this.#recover(
          cwd,
          this.#nextAt(n),
          outcome.code === 0 ? ({ state }) => state === "new" : () => true,
        )),
      ];
      return named(`${code} ${this.#at(n)}, exit ${String(outcome.code)}`, problems);
    });
  }

  /** The n-th call is refused, and the command killed some calls later, while it undoes or reports that. */
  async failedAndKilled(n: number, later: number): Promise<string[]> {
    return this.#in(async (cwd) => {
      await failAt(n, "EIO", this.#scenario.args, cwd, n + later);
      ageLocks(join(cwd, "frameworks"));
      const problems = [...(await this.#leak(cwd)), ...(await this.#recover(cwd, this.#nextAt(n), () => true))];
      return named(`EIO ${this.#at(n)}, killed ${String(later)} calls later`, problems);
    });
  }

  async #kill(n: number, args: readonly string[], cwd: string): Promise<string[]> {
    const outcome = await killAt(n, args, cwd);
    ageLocks(join(cwd, "frameworks"));
    return outcome.signal === "SIGKILL" ? [] : [`"${args.join(" ")}" was not killed, but ended with ${says(outcome)}`];
  }

  async #leak(cwd: string): Promise<string[]> {
    const paths = await addableSecrets(cwd, this.#git, this.#secrets);
    return paths.length === 0 ? [] : [`git would add secrets: ${paths.join(", ")}`];
  }

  /** Runs the next command and compares what there is then. @param isRight which states are */
  async #recover(cwd: string, next: Next, isRight = ({ isApart }: Ending): boolean => !isApart): Promise<string[]> {
    const left = this.#tree(cwd);
    const outcome = await plainly(next.args, cwd);
    const found = this.#tree(cwd);
    const problems = oddities(outcome);
    const [nearest] = next.endings
      .filter(isRight)
      .map((ending) => ({ ...ending, wrong: differences(found, ending.tree) }))
      .toSorted((a, b) => a.wrong.length - b.wrong.length);
    if (nearest === undefined) throw new Error("there is nothing to compare with");
    const { state, code, wrong } = nearest;
    if (wrong.length > 0 && next.isRefused && differences(found, left).every((each) => each.endsWith(".lock"))) {
      ageLocks(join(cwd, "frameworks"));
      return [...problems, ...(await this.#recover(cwd, this.#nextAt(0), isRight))];
    }
    const more = wrong.length > 6 ? ` and ${String(wrong.length - 6)} more` : "";
    if (wrong.length > 0) problems.push(`not the ${state} root: ${wrong.slice(0, 6).join(", ")}${more}`);
    else if (code !== outcome.code) problems.push(`ended with ${says(outcome)}`);
    return problems.map((problem) => `then "${next.args.join(" ")}": ${problem}`);
  }

  #nextAt(n: number): Next {
    const next = this.#next[n % this.#next.length];
    if (next === undefined) throw new Error("a scenario needs a next command");
    return next;
  }

  #at(n: number): string {
    return `at ${String(n)} of ${String(this.calls.length)} (${this.calls[n - 1] ?? "?"})`;
  }

  #tree(cwd: string): Tree {
    return treeOf(cwd, this.#secrets);
  }

  /** Works in a copy of the root. */
  async #in<T>(work: (cwd: string) => Promise<T>, state = "old"): Promise<T> {
    const cwd = join(this.#dir, `copy-${String((this.#made += 1))}`);
    cpSync(join(this.#dir, state), cwd, COPY);
    try {
      return await work(cwd);
    } finally {
      removeDir(cwd);
    }
  }
}

const APART = "apart";
const COPY = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };

/** What no command may do, whatever happens to it. */
function oddities({ signal, stdout, stderr }: Outcome): string[] {
  const problems = [];
  if (signal !== null) problems.push(`ended by ${signal}`);
  if (/\n\s+at .*:\d+:\d+/.test(stderr)) problems.push(`a stack trace: ${stderr}`);
  else if (/defect/i.test(stdout + stderr)) problems.push(`calls it a defect: ${stderr}`);
  return problems;
}

function says({ code, signal, stdout, stderr }: Outcome): string {
  return `${String(signal ?? code)}: ${(stderr === "" ? stdout : stderr).trim()}`;
}

function named(name: string, problems: readonly string[]): string[] {
  return problems.map((problem) => `${name}: ${problem}`);
}
