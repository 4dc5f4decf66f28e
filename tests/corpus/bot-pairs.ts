import fs from "fs-extra";
import { join } from "node:path";

import { PROJECT } from "../helpers/project.ts";
import type { Pair } from "./corpus.ts";

/** How far an image may go at once, as docs/updating.md says it; written down here a second time on purpose. */
const LIMITS: Record<string, "one-minor" | "same-major"> = { qdrant: "one-minor", postgres: "same-major" };

/** An image line, taken apart by the corpus itself. */
interface Line {
  service: string;
  text: string;
  repository: string;
  version: number[];
  /** What stands before and behind the numbers of the tag: `v`, `-alpine`. */
  v: string;
  suffix: string;
}

type Bump = (line: Line) => string;

const digest = (digit: string): string => `@sha256:${digit.repeat(64)}`;
const last = (version: readonly number[], by: number): number[] => [...version.slice(0, -1), (version.at(-1) ?? 0) + by];
const first = (version: readonly number[]): number[] => [(version[0] ?? 0) + 1, ...version.slice(1)];
const tag = ({ v, suffix }: Line, version: readonly number[]): string => `${v}${version.join(".")}${suffix}`;
const to = (put: (line: Line) => string): Bump => (line) => line.text.replace(/:-.*\}/, () => `:-${put(line)}}`);
const step = (by: number, more = ""): Bump => to((line) => `${line.repository}:${tag(line, last(line.version, by))}${more}`);
const same = (more = ""): Bump => step(0, more);

/** What the winner is of a bot's line and the templates' line: one of them, or lines made of both. */
type Winner = "bot" | "templates" | "conflict" | Bump;

const mirror: Bump = to((line) => `mirror.example/${line.repository}:${tag(line, line.version)}`);

/** Each bump that a bot makes against each change of the templates, with the winner as docs/updating.md promises it. */
const KINDS: readonly { id: string; bot: Bump; templates: Bump; winner: Winner; beyond?: "major" }[] = [
  { id: "newer x nothing", bot: step(1), templates: same(), winner: "bot" },
  { id: "digest x nothing", bot: same(digest("a")), templates: same(), winner: "bot" },
  { id: "newer x older", bot: step(2), templates: step(1), winner: "bot" },
  { id: "older x newer", bot: step(1), templates: step(2), winner: "templates" },
  { id: "the same on both sides", bot: step(1), templates: step(1), winner: "templates" },
  { id: "digest x newer", bot: same(digest("a")), templates: step(1), winner: "templates" },
  { id: "newer with digest x newest", bot: step(1, digest("a")), templates: step(2), winner: "templates" },
  { id: "newest with digest x newer with digest", bot: step(2, digest("a")), templates: step(1, digest("b")), winner: "bot" },
  { id: "one version, a digest on one side", bot: step(1, digest("a")), templates: step(1), winner: "bot" },
  { id: "one version, two digests", bot: step(1, digest("a")), templates: step(1, digest("b")), winner: "conflict" },
  {
    id: "newer x mirror",
    bot: step(1),
    templates: mirror,
    winner: to((line) => `mirror.example/${line.repository}:${tag(line, last(line.version, 1))}`),
  },
  {
    id: "the variable taken away x newer",
    bot: (line) => line.text.replace(/\$\{.*:-(.*)\}/, "$1"),
    templates: step(1),
    winner: "conflict",
  },
  { id: "an older one on purpose x newer", bot: step(-1), templates: step(1), winner: "conflict" },
  {
    id: "another suffix x newer",
    bot: to((line) => `${line.repository}:${tag(line, line.version)}-other`),
    templates: step(1),
    winner: "conflict",
  },
  {
    id: "another repository x newer",
    bot: to((line) => `example/fork:${tag(line, line.version)}`),
    templates: step(1),
    winner: "conflict",
  },
  {
    id: "another major version x newer",
    bot: to((line) => `${line.repository}:${tag(line, first(line.version))}`),
    templates: step(1),
    winner: "bot",
    beyond: "major",
  },
];

/** A change elsewhere in the same service, which the templates make together with the other. */
const ELSEWHERE = (text: string, service: string): string =>
  text.replace(new RegExp(`(\\n  ${service}:\\n(?: {4}.*\\n)*?    restart: ).*`), "$1always");

/**
 * What an update bot does to the image lines of a generated compose file, against what the next templates do to it.
 * @param preset whose golden directory is taken
 */
export function botPairs(preset: string): (Pair & { kind: string })[] {
  const base = fs.readFileSync(join(PROJECT, "tests/golden", preset, "compose.yaml"), "utf8");
  return linesOf(base).flatMap((line) =>
    KINDS.map(({ id, bot, templates, winner, beyond }) => {
      const put = (bump: Bump, text = base): string => replaced(text, line, bump(line));
      const theirs = put(templates, ELSEWHERE(base, line.service));
      const won = outcome(line, winner, beyond, bot, templates);
      return {
        file: "compose.yaml",
        kind: id,
        ids: `${line.service}: ${id}`,
        size: 1,
        base,
        ours: put(bot),
        theirs,
        expected: won === undefined ? [] : [put(won, ELSEWHERE(base, line.service))],
      };
    }),
  );
}

function outcome(line: Line, winner: Winner, beyond: "major" | undefined, bot: Bump, templates: Bump): Bump | undefined {
  const limit = LIMITS[line.service];
  // Where both sides changed the line, what is beyond the limit is a question. A tag of one number is its major version.
  const isOneSided = templates(line) === line.text || bot(line) === templates(line);
  const isMajor = beyond === "major" || line.version.length === 1;
  const isDecided = winner === "bot" || winner === "templates";
  if (winner === "conflict" || (limit !== undefined && isMajor && isDecided && !isOneSided && moves(line, winner, bot, templates)))
    return undefined;
  if (typeof winner === "function") return limit !== undefined && isMajor ? undefined : winner;
  return winner === "bot" ? bot : templates;
}

/** Whether the winner has another version than what it is measured by: the other side for the templates, the base for a bot. */
function moves(line: Line, winner: "bot" | "templates", bot: Bump, templates: Bump): boolean {
  const version = (text: string): string | undefined => /:(v?\d+)/.exec(text.replace(/^.*:-/, ""))?.[1];
  return winner === "bot" ? version(bot(line)) !== version(line.text) : version(templates(line)) !== version(bot(line));
}

function linesOf(compose: string): Line[] {
  const found: Line[] = [];
  let service = "";
  for (const text of compose.split("\n")) {
    service = /^ {2}([a-z][a-z0-9-]*):$/.exec(text)?.[1] ?? service;
    const [, repository, v, numbers, suffix] =
      /^ {4}image: \$\{[A-Z_]+:-([a-z0-9./-]+):(v?)(\d+(?:\.\d+)*)([^}@]*)\}$/.exec(text) ?? [];
    if (repository === undefined) continue;
    found.push({ service, text, repository, v: v ?? "", version: (numbers ?? "").split(".").map(Number), suffix: suffix ?? "" });
  }
  return found;
}

/** The line of this service alone: two services may have one image. */
function replaced(text: string, line: Line, put: string): string {
  const at = text.indexOf(line.text, text.indexOf(`\n  ${line.service}:\n`));
  return text.slice(0, at) + put + text.slice(at + line.text.length);
}
