import { describe, expect, it } from "vitest";

import { sha256 } from "../../../src/lib/digest.ts";
import { isEmpty, type Plan } from "../../../src/plan/plan.ts";
import { basePath, offeredPath, STATE_FILE } from "../../../src/plan/state.ts";
import { planUpdate, type Decision, type UpdateInput } from "../../../src/plan/update.ts";
import { diskOf, textTree } from "../../helpers/disk.ts";

const A = "one\n-\ntwo\n-\nthree\n";
const B = "one\n-\nTWO\n-\nthree\n";
const MINE = "one\n-\ntwo\n-\nmine\n";
const BOTH = "one\n-\nTWO\n-\nmine\n";
const MEETS = "one\n-\nmy two\n-\nthree\n";

interface Case {
  base?: string | undefined;
  disk?: string | undefined;
  next?: string | undefined;
  incoming?: string;
  offered?: string;
  decision?: Decision;
  previous?: string;
}

function planFor(input: Case, more: Partial<UpdateInput> = {}): Promise<Plan> {
  return planUpdate({
    framework: "x",
    previous: "previous" in input ? textTree({ f: input.previous }) : undefined,
    next: textTree({ f: input.next }),
    disk: diskOf(
      { f: input.disk, "f.incoming": input.incoming, [STATE_FILE]: "" },
      { f: input.base },
      { f: input.offered },
    ),
    decide: () => input.decision,
    state: () => "",
    ...more,
  });
}

/** What a plan does to the file, its base, its .incoming and what is offered: the new text, `-` for deleted. */
function effect(plan: Plan): Record<string, string> {
  const names = { f: "file", [basePath("f")]: "base", "f.incoming": "incoming", [offeredPath("f")]: "offered" };
  const written = [...plan.writes].map(([path, { content }]) => [names[path] ?? path, content]);
  return Object.fromEntries([...written, ...[...plan.removes].map((path) => [names[path] ?? path, "-"])]) as Record<
    string,
    string
  >;
}

const action = (plan: Plan): string => plan.actions.find(({ path }) => path === "f")?.action ?? "none";

describe("an update from the templates", () => {
  it.each<[string, Case, string, Record<string, string>]>([
    ["nothing new", { base: A, disk: A, next: A }, "keep", {}],
    ["edited, nothing new", { base: A, disk: MINE, next: A }, "keep", {}],
    ["not edited", { base: A, disk: A, next: B }, "update", { file: B, base: B }],
    ["edited elsewhere", { base: A, disk: MINE, next: B }, "merge", { file: BOTH, base: B }],
    ["edited to the same", { base: A, disk: B, next: B }, "keep", { base: B }],
    ["edited at the same place", { base: A, disk: MEETS, next: B }, "conflict", { incoming: B, offered: B }],
    ["new in the templates", { next: B }, "create", { file: B, base: B }],
    ["new, and somebody has such a file", { disk: MINE, next: B }, "conflict", { incoming: B, offered: B }],
    ["new, and somebody has the same file", { disk: B, next: B }, "keep", { base: B }],
    ["deleted by the user", { base: A, next: A }, "keep", {}],
    ["deleted by the user, and new", { base: A, next: B }, "keep", { base: B }],
    ["gone from the templates", { base: A, disk: A }, "delete", { file: "-", base: "-" }],
    ["gone from the templates, but edited", { base: A, disk: MINE }, "keep", { base: "-" }],
    ["gone from both", { base: A }, "none", { base: "-" }],
    ["in git's line ends", { base: A, disk: A.replaceAll("\n", "\r\n"), next: A }, "keep", {}],
    [
      "in git's line ends, and new",
      { base: A, disk: A.replaceAll("\n", "\r\n"), next: B },
      "update",
      { file: B.replaceAll("\n", "\r\n"), base: B },
    ],
    [
      "a base with git's conflict markers",
      { base: `<<<<<<< ours\n${A}`, disk: MINE, next: B },
      "conflict",
      { incoming: B, offered: B },
    ],
    ["an open conflict", { base: A, disk: MEETS, next: B, incoming: B, offered: B }, "conflict", {}],
    [
      "an open conflict, and newer templates",
      { base: A, disk: MEETS, next: "new\n", incoming: B, offered: B },
      "conflict",
      { incoming: "new\n", offered: "new\n" },
    ],
    [
      "an open conflict whose .incoming was edited, and newer templates",
      { base: A, disk: MEETS, next: "new\n", incoming: "mine\n", offered: B },
      "conflict",
      {},
    ],
    [
      "an open conflict about what is no longer generated",
      { base: A, disk: MEETS, incoming: B, offered: B },
      "conflict",
      {},
    ],
    [
      "theirs, about what is no longer generated",
      { base: A, disk: MEETS, incoming: B, offered: B, decision: "theirs" },
      "delete",
      { file: "-", base: "-", incoming: "-", offered: "-" },
    ],
    ["a resolved conflict", { base: A, disk: MEETS, next: B, offered: B }, "keep", { base: B, offered: "-" }],
    [
      "a resolved conflict, and newer templates",
      { base: A, disk: MEETS, next: B.replace("three", "3"), offered: B },
      "merge",
      { file: MEETS.replace("three", "3"), base: B.replace("three", "3"), offered: "-" },
    ],
    ["ours", { base: A, disk: MEETS, next: B, decision: "ours" }, "keep", { base: B }],
    ["theirs", { base: A, disk: MEETS, next: B, decision: "theirs" }, "update", { file: B, base: B }],
    [
      "ours, of an open one",
      { base: A, disk: MEETS, next: B, incoming: B, offered: B, decision: "ours" },
      "keep",
      { base: B, incoming: "-", offered: "-" },
    ],
    [
      "theirs, of an open one",
      { base: A, disk: MEETS, next: B, incoming: B, offered: B, decision: "theirs" },
      "update",
      { file: B, base: B, incoming: "-", offered: "-" },
    ],
    [
      "theirs, where nothing is in conflict",
      { base: A, disk: MINE, next: B, decision: "theirs" },
      "merge",
      { file: BOTH, base: B },
    ],
  ])("%s", async (_, input, expected, effects) => {
    const plan = await planFor(input);
    expect([action(plan), effect(plan)]).toEqual([expected, effects]);
  });

  it("deletes nothing while a conflict is open, neither a new one nor an old one", async () => {
    for (const incoming of [undefined, B]) {
      const plan = await planUpdate({
        framework: "x",
        previous: undefined,
        state: () => "",
        next: textTree({ f: B }),
        disk: diskOf(
          { f: MEETS, "f.incoming": incoming, gone: A, [STATE_FILE]: "" },
          { f: A, gone: A },
          { f: incoming },
        ),
        decide: () => undefined,
      });
      expect(plan.removes).toEqual(new Set());
      expect(plan.actions).toContainEqual(expect.objectContaining({ path: "gone", action: "keep" }));
    }
  });

  it("says what stands on disk before and after, and holds every path it touches to that", async () => {
    const plan = await planFor({ base: A, disk: MINE, next: B });
    expect(plan.actions).toMatchObject([{ before: sha256(MINE), after: sha256(BOTH) }]);
    expect(Object.fromEntries(plan.preconditions)).toEqual({ f: sha256(MINE), [basePath("f")]: sha256(A) });
  });

  it("takes bytes that are no UTF-8 for an edit that cannot be merged", async () => {
    const file = { text: "one\n-\ntwo\n-\n\uFFFD\n", sha256: "0", exact: false };
    const disk = new Map([...diskOf({ [STATE_FILE]: "" }, { f: A }), ["f", file] as const]);
    expect(action(await planFor({ next: B }, { disk }))).toBe("conflict");
  });

  it("writes the layout's version where it is missing, but only with a change", async () => {
    const without = (base: string): Promise<Plan> => planFor({ next: B }, { disk: diskOf({ f: base }, { f: base }) });
    expect((await without(A)).writes.has(STATE_FILE)).toBe(true);
    expect(isEmpty(await without(B))).toBe(true);
  });
});

describe("a change of the spec alone", () => {
  // The base is older than today's templates: `zero` is an update that is pending.
  const OLD = A.replace("one", "zero");

  it("is merged into the file and into the base, and what is pending stays pending", async () => {
    const plan = await planFor({ base: OLD, disk: OLD, previous: A, next: B });
    expect([action(plan), effect(plan)]).toEqual([
      "merge",
      { file: B.replace("one", "zero"), base: B.replace("one", "zero") },
    ]);
  });

  it("takes the new one into the base where it meets what is pending: no person wrote either", async () => {
    const plan = await planFor({ base: MEETS, disk: A, previous: A, next: B });
    expect([action(plan), effect(plan)]).toEqual(["update", { file: B, base: B }]);
  });

  it("is no conflict in a file that nobody edited, whatever is pending there", async () => {
    const pending = A.replace("two", "an older two");
    const plan = await planFor({ base: pending, disk: pending, previous: A, next: B });
    expect([action(plan), effect(plan)]).toEqual(["merge", { file: B, base: B }]);
    const edited = pending.replace("three", "mine");
    expect(effect(await planFor({ base: pending, disk: edited, previous: A, next: B }))).toEqual({
      file: B.replace("three", "mine"),
      base: B,
    });
  });

  it("offers the change alone, without what is pending", async () => {
    const plan = await planFor({ base: OLD, disk: MEETS, previous: A, next: B });
    const offer = B.replace("one", "zero");
    expect([action(plan), effect(plan)]).toEqual(["conflict", { incoming: offer, offered: offer }]);
  });

  it("leaves alone what the change does not touch, whatever the templates say by now", async () => {
    const plan = await planFor({ base: OLD, disk: MINE, previous: A, next: A });
    expect(isEmpty(plan)).toBe(true);
  });

  it("deletes what it alone no longer generates, though the templates have moved on", async () => {
    const plan = await planFor({ base: OLD, disk: OLD, previous: A, next: undefined });
    expect([action(plan), effect(plan)]).toEqual(["delete", { file: "-", base: "-" }]);
  });

  it("goes into a file with an open conflict, and into what is offered", async () => {
    const plan = await planFor({ base: A, disk: MINE, incoming: A, offered: A, previous: A, next: B });
    expect([action(plan), effect(plan)]).toEqual(["conflict", { file: BOTH, incoming: B, offered: B }]);
  });

  it("gives no base to a file whose base was lost: what is pending there would count as taken", async () => {
    const plan = await planFor({ disk: A, previous: A, next: B });
    expect([action(plan), effect(plan)]).toEqual(["update", { file: B }]);
  });
});
