import fs from "fs-extra";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { axeFindings, openBrowser, openFile, type Look } from "../helpers/browser.ts";
import { cli } from "../helpers/cli.ts";
import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { PROJECT } from "../helpers/project.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

const LOOKS: readonly Look[] = [380, 1280].flatMap((width) => [
  { width, scheme: "light" as const },
  { width, scheme: "dark" as const },
]);

/** With UPDATE_DOCS=1, the pictures of docs/images are made anew. */
const PICTURES = process.env["UPDATE_DOCS"] === "1" ? join(PROJECT, "docs/images") : undefined;

describe.skipIf(engineProblem() !== undefined)("the page in a real browser", () => {
  let browser: Browser;
  let cwd = "";
  let stack = new Stack("");

  beforeAll(async () => {
    browser = await openBrowser();
    cwd = newTempDir();
  });

  afterAll(async () => {
    await browser.close();
    await stack.remove();
    removeDir(cwd);
  });

  async function made(name: string, ...flags: string[]): Promise<void> {
    const { code, stderr } = await cli(["new-framework", name, "--yes", ...flags], { cwd });
    if (code !== 0) throw new Error(stderr);
  }

  /** Looks at a report as everybody may, and expects nothing to complain about. @returns how high it is */
  async function lookedAt(file: string, look: Look, picture?: string): Promise<number> {
    const [page, said] = await openFile(browser, file, look);
    expect(said).toEqual([`request: file://${file}`]);
    const [inner, height] = await Promise.all([
      page.evaluate<number>("document.documentElement.scrollWidth"),
      page.evaluate<number>("document.documentElement.scrollHeight"),
    ]);
    // A table may be scrolled in itself; the page is never wider than the screen.
    expect([look, inner]).toEqual([look, look.width]);
    if (picture !== undefined && PICTURES !== undefined)
      await page.screenshot({
        path: join(PICTURES, `${picture}-${String(look.width)}-${look.scheme}.png`),
        clip: { x: 0, y: 0, width: look.width, height: Math.min(height, 1600) },
        fullPage: true,
      });
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
    expect(await axeFindings(page)).toEqual([]);
    await page.context().close();
    return height;
  }

  it("shows a running stack, a fault in it, and the other frameworks", async () => {
    await made("crewai", "--services", "postgres,qdrant");
    stack = new Stack(join(cwd, "frameworks", "crewai"));
    stack.useTestImages();
    await stack.ok("up", "-d", "--wait");
    expect(await stack.script("backup.sh")).toMatchObject({ code: 0 });
    expect((await cli(["validate", "crewai", "--baseline"], { cwd })).code).toBe(0);
    await docker("stop", "crewai_qdrant");
    const file = join(cwd, "live.html");
    const { code, stderr } = await cli(["validate", "crewai", "--live", "--report", "live.html"], { cwd });
    expect([code, stderr]).toEqual([6, expect.stringContaining("live.html") as string]);
    const [page] = await openFile(browser, file, { width: 1280, scheme: "light" });
    const text = await page.innerText("main");
    expect(text).toMatch(/postgres\s+✓ pass/);
    expect(text).toMatch(/qdrant state is stopped|qdrant state .*exited/);
    expect(text).toMatch(/Last backup: set \d{8}T\d{6}Z, (?:just now|1 minute ago)/);
    expect(text).toMatch(/postgres\.commit\s+a transaction is committed.*\s+[\d.]+ ms \(/);
    expect(await page.locator("meter").count()).toBeGreaterThan(0);
    for (const [name, value] of stack.env)
      if (/PASSWORD|SECRET|KEY/.test(name) && value.length > 8) expect(await page.content()).not.toContain(value);
    // On paper, what is folded up is there as well.
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("details").last().innerText()).toContain("postgres.round-trip");
    await page.context().close();
    for (const look of LOOKS) await lookedAt(file, look, "report");
  });

  it.each([1, 5, 50])("is fit to be read with %i frameworks", async (count) => {
    for (let index = 1; index < count; index += 1)
      if (!fs.existsSync(join(cwd, "frameworks", `stack-${String(index)}`)))
        await made(`stack-${String(index)}`, ...(index % 5 === 0 ? [] : ["--services", "postgres,qdrant"]));
    const names = ["crewai", ...Array.from({ length: count - 1 }, (_, index) => `stack-${String(index + 1)}`)];
    const args = ["validate", ...names, "--report", `${String(count)}.html`];
    expect((await cli(args, { cwd })).code).toBe(0);
    // Of many, the narrowest and the widest.
    for (const look of count > 5 ? LOOKS.slice(1, 3) : LOOKS) await lookedAt(join(cwd, `${String(count)}.html`), look);
  });

  it("is used by keyboard: a way past the top, and every table and fold is reached", async () => {
    const [page] = await openFile(browser, join(cwd, "live.html"), { width: 380, scheme: "light" });
    const wanted = await page.evaluate<number>(
      "[...document.querySelectorAll('a, summary, [tabindex]')].filter((each) => each.checkVisibility()).length",
    );
    const reached = new Set<number>();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the results");
    for (let index = 0; index < wanted; index += 1) {
      // By its place: some are written the same.
      reached.add(await page.evaluate<number>("[...document.querySelectorAll('*')].indexOf(document.activeElement)"));
      await page.keyboard.press("Tab");
    }
    expect(reached.size).toBe(wanted);
    await page.context().close();
  });

  it("is seen to complain: text without contrast, a script, a picture from elsewhere", async () => {
    const file = join(cwd, "bad.html");
    const text = fs.readFileSync(join(cwd, "1.html"), "utf8");
    fs.writeFileSync(
      file,
      text
        .replace("--soft: #565f69", "--soft: #b0b8c0")
        .replace("</main>", '<script>window.ran = true</script><img src="https://example.org/x.png"></main>'),
    );
    const [page, said] = await openFile(browser, file, { width: 1280, scheme: "light" });
    expect(await page.evaluate("'ran' in window")).toBe(false);
    expect(said.filter((line) => line.startsWith("console: ")).length).toBeGreaterThan(0);
    const found = await axeFindings(page);
    expect(found.map((line) => line.split(":")[0])).toEqual(expect.arrayContaining(["color-contrast", "image-alt"]));
    await page.context().close();
  });
});
