import axe from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";

/** Debian's Chromium, without anything that would ask other hosts. */
export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** How a page is looked at. */
export interface Look {
  width: number;
  scheme: "light" | "dark";
}

/** A page of a file, and all that it said and asked for: console messages, errors, requests. */
export async function openFile(browser: Browser, file: string, { width, scheme }: Look): Promise<[Page, string[]]> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("request", (request) => said.push(`request: ${request.url()}`));
  await page.goto(`file://${file}`);
  return [page, said];
}

/** What axe-core finds, as `RULE: where`; nothing is left out. */
export async function axeFindings(page: Page): Promise<string[]> {
  // The page's own policy allows no script; a debugger's is not one of the page's.
  await page.evaluate(axe.source);
  const found: unknown = await page.evaluate("axe.run()");
  return (found as axe.AxeResults).violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary ?? ""}`),
  );
}
