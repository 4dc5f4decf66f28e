import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";

import { LAUNCHER } from "./cli.ts";
import { newTempDir, removeDir } from "./temp.ts";

/** A command in a real terminal (tmux): keys go in, the screen comes out. Ends with the test. */
export class Terminal {
  // Named by path: tmux' own folder for sockets would stay behind in the temporary directory.
  readonly #dir = newTempDir();

  /** @param command run by sh, in `cwd` */
  constructor(cwd: string, command: string, columns = 80, rows = 50) {
    const script = `cd '${cwd}' && { ${command}; echo "exit $?"; sleep 600; }`;
    this.#tmux(
      "new-session",
      "-d",
      "-x",
      String(columns),
      "-y",
      String(rows),
      "env",
      "-u",
      "CI",
      "-u",
      "NODE_EXTRA_CA_CERTS",
      "sh",
      "-c",
      script,
    );
    onTestFinished(() => {
      this.#tmux("kill-server");
      removeDir(this.#dir);
    });
  }

  static available(): boolean {
    return spawnSync("tmux", ["-V"]).status === 0;
  }

  /** Runs our program. */
  static program(cwd: string, args: string, columns?: number, env = ""): Terminal {
    return new Terminal(cwd, `${env} '${process.execPath}' '${LAUNCHER}' ${args}`, columns);
  }

  /** The screen with what has scrolled off, without blank lines; `styled` keeps colour codes. */
  screen(styled = false): string {
    const text = this.#tmux("capture-pane", "-p", "-J", "-S", "-200", ...(styled ? ["-e"] : []));
    return text
      .split("\n")
      .map((line) => line.trimEnd())
      .filter((line) => line !== "")
      .join("\n");
  }

  /** Whether the cursor is shown. */
  get hasCursor(): boolean {
    return this.#tmux("display-message", "-p", "#{cursor_flag}").trim() === "1";
  }

  /** Keys by tmux' names (Enter, C-c, Down), other text as it is. */
  press(...keys: string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  /** Waits until the screen holds a text; then it is the screen. */
  async see(text: string | RegExp): Promise<string> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const screen = this.screen();
      if (typeof text === "string" ? screen.includes(text) : text.test(screen)) return screen;
      if (Date.now() > deadline) throw new Error(`"${String(text)}" did not appear; the screen is:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Waits for a question, then answers it. */
  async answer(question: string, ...keys: string[]): Promise<void> {
    await this.see(question);
    this.press(...keys);
  }

  #tmux(...args: string[]): string {
    return spawnSync("tmux", ["-S", join(this.#dir, "tmux"), "-f", "/dev/null", ...args], { encoding: "utf8" }).stdout;
  }
}
