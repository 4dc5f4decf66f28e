import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { cli, snapshot, withoutSecrets } from "../helpers/cli.ts";
import { leftOut } from "../helpers/left-out.ts";
import { tempDir } from "../helpers/temp.ts";
import { Terminal } from "../helpers/terminal.ts";
import { needTablePorts } from "../helpers/table-ports.ts";

await needTablePorts();

const there = Terminal.available();
if (!there) leftOut("the interview in a real terminal", "tmux");

/** The questions of an interview that takes every default, in order. */
const QUESTIONS = [
  "Which framework is it for?",
  "Name of its directory:",
  "Description, one line:",
  "Services:",
  "Langfuse:",
  "Host port of Langfuse:",
  "Host port of PostgreSQL:",
  "Host port of Qdrant:",
  "Image versions:",
  "Resource limits",
  "Write frameworks/crewai?",
];

describe.skipIf(!there)("the interview in a terminal", () => {
  it("with Enter alone gives the same bytes as --yes", async () => {
    const [cwd, other] = [tempDir(), tempDir()];
    const terminal = Terminal.program(cwd, "new-framework");
    for (const question of QUESTIONS) await terminal.answer(question, "Enter");
    const screen = await terminal.see("exit 0");
    expect(screen).toContain("Created frameworks/crewai (43 files)");
    // Each question is drawn over by its answer, not followed by it.
    for (const question of QUESTIONS) expect(screen.split(`? ${question}`).length - 1, question).toBe(1);
    expect(screen).toContain("memory limits 11.5 GiB in total (profile small); this machine has");
    await cli(["new-framework", "crewai", "--yes"], { cwd: other });
    expect(withoutSecrets(snapshot(cwd))).toEqual(withoutSecrets(snapshot(other)));
  });

  it("through Plop asks the same", async () => {
    const cwd = tempDir();
    const terminal = new Terminal(
      process.cwd(),
      `npx plop new-framework dspy -- --root '${join(cwd, "frameworks")}' --services qdrant`,
    );
    await terminal.answer("Description, one line:", "Enter");
    await terminal.answer("Host port of Qdrant:", "Enter");
    await terminal.answer("Image versions:", "Enter");
    await terminal.answer("Resource limits", "Enter");
    await terminal.answer("Write ", "Enter");
    await terminal.see("exit 0");
    expect(fs.existsSync(join(cwd, "frameworks/dspy/compose.yaml"))).toBe(true);
  });

  it("shows what is wrong below the answer, which can then be corrected", async () => {
    const cwd = tempDir();
    const terminal = Terminal.program(cwd, "new-framework --services qdrant");
    await terminal.answer("Which framework", "Up", "Enter");
    await terminal.answer("Name of its directory:", "Bad Name", "Enter");
    await terminal.see('"Bad Name" is not a framework name');
    terminal.press("C-u");
    terminal.press("fine", "Enter");
    await terminal.answer("Description", "Enter");
    await terminal.see("Host port of Qdrant:");
    for (const [typed, message] of [
      ["70000", "a whole number from 1 to 65535"],
      ["12abc", "a whole number from 1 to 65535"],
    ] as const) {
      terminal.press(typed, "Enter");
      await terminal.see(`>> ${message}`);
      terminal.press("C-u");
    }
    terminal.press("20900", "Enter");
    await terminal.answer("Image versions:", "Enter");
    await terminal.answer("Resource limits", "Enter");
    await terminal.answer("Write ", "Enter");
    await terminal.see("exit 0");
    expect(fs.readFileSync(join(cwd, "frameworks/fine/.env"), "utf8")).toContain("QDRANT_PORT=20900");
  });

  it("goes back to an answer before anything is written", async () => {
    const cwd = tempDir();
    const terminal = Terminal.program(cwd, "new-framework crewai --services qdrant");
    for (const question of ["Description", "Host port of Qdrant:", "Image versions:", "Resource limits"])
      await terminal.answer(question, "Enter");
    await terminal.answer("Write ", "Down", "Enter");
    await terminal.answer("Which one?", "Up", "Enter");
    await terminal.answer("❯ small", "Down", "Down", "Enter");
    await terminal.see("(profile large)");
    await terminal.see(/Write frameworks\/crewai\?[^\n]*\n❯ Yes, write it/);
    terminal.press("Enter");
    await terminal.see("exit 0");
    expect(fs.readFileSync(join(cwd, "frameworks/crewai/framework.yaml"), "utf8")).toContain("profile: large");
  });

  it.each(QUESTIONS.map((question, index) => [question, index] as const))(
    'Ctrl-C at "%s" leaves nothing behind',
    async (_, index) => {
      const cwd = tempDir();
      const terminal = Terminal.program(cwd, "new-framework");
      for (const question of QUESTIONS.slice(0, index)) await terminal.answer(question, "Enter");
      await terminal.answer(QUESTIONS[index] ?? "", "C-c");
      const screen = await terminal.see("exit 130");
      expect(screen).toContain("interrupted; nothing was changed");
      expect(fs.readdirSync(cwd)).toEqual([]);
    },
  );

  it("ends when the input ends", async () => {
    const cwd = tempDir();
    const terminal = Terminal.program(cwd, "new-framework");
    await terminal.answer("Which framework", "Enter");
    await terminal.answer("Name of its directory:", "C-d");
    expect(await terminal.see("exit 130")).toContain("the input ended; nothing was changed");
  });

  it("refuses at once with a closed standard input", async () => {
    const terminal = new Terminal(
      tempDir(),
      `'${process.execPath}' '${join(process.cwd(), "bin/framework-infra.js")}' new-framework crewai <&-`,
    );
    expect(await terminal.see("exit 2")).toContain("this is not a terminal");
  });

  it("fits into 40 columns", async () => {
    const cwd = tempDir();
    const terminal = Terminal.program(cwd, "new-framework", 40);
    for (const question of [
      "Which framework",
      "Name of its",
      "Description",
      "Services",
      "Langfuse:",
      "port of Langfuse",
      "port of PostgreSQL",
      "port of Qdrant",
      "Image versions",
      "Resource limits",
      "Write",
    ])
      await terminal.answer(question, "Enter");
    await terminal.see("exit 0");
    expect(fs.existsSync(join(cwd, "frameworks/crewai/compose.yaml"))).toBe(true);
  });

  it("colours a terminal, and not with NO_COLOR", async () => {
    const colours = new RegExp(`${String.fromCodePoint(27)}\\[[\\d;]*(?:3[0-7]|9[0-7])m`);
    const plain = Terminal.program(tempDir(), "new-framework", 80, "NO_COLOR=1");
    const coloured = Terminal.program(tempDir(), "new-framework", 80);
    await plain.see("CrewAI");
    await coloured.see("CrewAI");
    expect([colours.test(coloured.screen(true)), colours.test(plain.screen(true))]).toEqual([true, false]);
  });
});
