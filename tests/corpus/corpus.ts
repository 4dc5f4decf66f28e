import fs from "fs-extra";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { COMPOSE_EDITS } from "./compose-edits.ts";
import type { Edit } from "./edit.ts";
import { ENV_EDITS, README_EDITS, SCRIPT_EDITS } from "./text-edits.ts";

/** A user's edits against a template's, on one file, with what is right. */
export interface Pair {
  file: string;
  ids: string;
  /** Edits on each side. */
  size: number;
  base: string;
  ours: string;
  theirs: string;
  /** Texts that a right merge is equivalent to; none: the edits contradict each other, so it must be a conflict. */
  expected: readonly string[];
}

const HERE = dirname(fileURLToPath(import.meta.url));

const FILES: readonly { path: string; base: string; edits: readonly Edit[]; wanted: Record<number, number> }[] = [
  { path: "compose.yaml", base: "compose.yaml.txt", edits: COMPOSE_EDITS, wanted: { 1: 700, 2: 500, 3: 500 } },
  { path: ".env.template", base: "env.template.txt", edits: ENV_EDITS, wanted: { 1: 180, 2: 150, 3: 150 } },
  { path: "README.md", base: "README.md.txt", edits: README_EDITS, wanted: { 1: 150, 2: 100, 3: 100 } },
  { path: "config/postgres/initdb/10-application.sh", base: "script.sh.txt", edits: SCRIPT_EDITS, wanted: { 1: 60, 2: 40, 3: 40 } },
];

/** All pairs, the same ones each time. */
export function pairs(): Pair[] {
  return FILES.flatMap(({ path, base, edits, wanted }) => {
    const text = fs.readFileSync(join(HERE, "base", base), "utf8");
    return Object.entries(wanted).flatMap(([size, count]) => pairsOf(path, text, edits, Number(size), count));
  });
}

/** A sample with every kind of file and size in it: every n-th pair. */
export function sample(count: number): Pair[] {
  const every = pairs();
  const step = Math.max(1, Math.floor(every.length / count));
  return every.filter((_, index) => index % step === 0);
}

/**
 * Any edits of compose.yaml against any others, by their places in the list.
 * @returns undefined where they cannot be made together
 */
export function composePair(users: readonly number[], templates: readonly number[]): Pair | undefined {
  const [{ path, base } = { path: "", base: "" }] = FILES;
  const pick = (indexes: readonly number[], not: Edit["side"]): Edit[] =>
    indexes.flatMap((index) => {
      const edit = COMPOSE_EDITS[index % COMPOSE_EDITS.length];
      return edit === undefined || edit.side === not ? [] : [edit];
    });
  const [user, template] = [pick(users, "template"), pick(templates, "user")];
  const together = (edits: readonly Edit[]): boolean =>
    edits.every((a, at) => edits.every((b, other) => at === other || (a !== b && !overlap(a, b) && !breaks(a, b))));
  if (!together(user) || !together(template)) return undefined;
  return pairOf(path, fs.readFileSync(join(HERE, "base", base), "utf8"), user, template, user.length);
}

function pairsOf(file: string, base: string, edits: readonly Edit[], size: number, count: number): Pair[] {
  const users = sets(edits.filter(({ side }) => side !== "template"), size);
  const templates = sets(edits.filter(({ side }) => side !== "user"), size);
  const random = generator(size * 7919 + file.length);
  const found: Pair[] = [];
  const seen = new Set<string>();
  // Of single edits, every combination; of more, as many as are wanted, drawn the same way each time.
  const total = users.length * templates.length;
  let clean = 0;
  for (let tries = 0; tries < (size === 1 ? total : count * 40) && (size === 1 || clean < count); tries += 1) {
    const at = size === 1 ? (tries * 7907) % total : Math.floor(random() * total);
    const [user, template] = [users[Math.floor(at / templates.length)], templates[at % templates.length]];
    const pair = user === undefined || template === undefined ? undefined : pairOf(file, base, user, template, size);
    if (pair === undefined || seen.has(pair.ids)) continue;
    // Every contradiction of two single edits is wanted; of the rest, a fixed number.
    const kept = size === 1 && pair.expected.length === 0;
    if (!kept && clean === count) continue;
    if (!kept) clean += 1;
    seen.add(pair.ids);
    found.push(pair);
  }
  return found;
}

/** Sets of edits that can stand on one side together. */
function sets(edits: readonly Edit[], size: number): Edit[][] {
  if (size === 0) return [[]];
  return edits.flatMap((first, index) =>
    sets(edits.slice(index + 1), size - 1)
      .filter((rest) => rest.every((other) => !overlap(first, other) && !breaks(first, other) && !breaks(other, first)))
      .map((rest) => [first, ...rest]),
  );
}

function pairOf(file: string, base: string, user: readonly Edit[], template: readonly Edit[], size: number): Pair | undefined {
  const content = user.filter(({ touches }) => touches.length > 0);
  const style = user.filter(({ touches }) => touches.length === 0);
  const ours = applied(base, [...content, ...style]);
  const theirs = applied(base, template);
  if (ours === undefined || theirs === undefined) return undefined;
  const ids = `${user.map(({ id }) => id).join("+")} x ${template.map(({ id }) => id).join("+")}`;
  const contradict = user.some((mine) =>
    template.some((other) => !same(base, mine, other) && (overlap(mine, other) || breaks(mine, other) || breaks(other, mine))),
  );
  if (contradict) return { file, ids, size, base, ours, theirs, expected: [] };
  const fresh = template.filter((other) => !user.some((mine) => same(base, mine, other)));
  const expected = [
    applied(base, [...fresh, ...content, ...style]),
    applied(base, [...content, ...fresh, ...style]),
  ].filter((text) => text !== undefined);
  return expected.length === 0 ? undefined : { file, ids, size, base, ours, theirs, expected };
}

function applied(text: string, edits: readonly Edit[]): string | undefined {
  return edits.reduce<string | undefined>((done, { apply }) => (done === undefined ? undefined : apply(done)), text);
}

/** Whether both change the same thing; taking the same thing away is no contradiction. */
function overlap(a: Edit, b: Edit): boolean {
  const inside = (path: string, other: string): boolean => path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}#`);
  return a.touches.some((path) =>
    b.touches.some((other) => {
      // The comment on a line and the value on it are two things.
      if (path === `${other}#` || other === `${path}#`) return false;
      if (path === other && a.removes?.includes(path) === true && b.removes?.includes(path) === true) return false;
      // A template's new words about something that the user took away are about nothing.
      if (a.side === "user" && a.removes?.includes(path) === true && isComment(other)) return false;
      return inside(path, other) || inside(other, path);
    }),
  );
}

function isComment(path: string): boolean {
  return path.includes("#");
}

/** Whether `a` takes away what `b` needs. */
function breaks(a: Edit, b: Edit): boolean {
  return (a.removes ?? []).some((path) => (b.needs ?? []).includes(path));
}

function same(base: string, a: Edit, b: Edit): boolean {
  return a.id === b.id || (a.touches.length > 0 && a.apply(base) === b.apply(base));
}

/** Numbers in [0, 1) that look random and are the same each time (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
