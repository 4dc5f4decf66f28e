// npm run picture: plays the interview in a real terminal (tmux) and draws its screen as docs/images/interview.svg,
// so that the README shows what the program shows.
import { execFileSync, spawnSync } from "node:child_process";
import fs from "fs-extra";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..");
const COLUMNS = 92;
const KEYS = ["Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter"];
const PALETTE: Record<string, string> = {
  31: "#e06c75",
  32: "#98c379",
  33: "#e5c07b",
  34: "#61afef",
  36: "#56b6c2",
  90: "#7f848e",
};

const sleep = (seconds: number): void => void spawnSync("sleep", [String(seconds)]);
const tmux = (...args: string[]): string =>
  spawnSync("tmux", ["-L", "fi-picture", "-f", "/dev/null", ...args], { encoding: "utf8" }).stdout;

function play(): string {
  const cwd = fs.mkdtempSync(join(tmpdir(), "fi-picture-"));
  try {
    const command = `cd '${cwd}' && printf '$ npm run -s new-framework\\n' && '${process.execPath}' '${join(PROJECT, "bin/framework-infra.js")}' new-framework; sleep 60`;
    tmux("new-session", "-d", "-x", String(COLUMNS), "-y", "100", "env", "-u", "CI", "sh", "-c", command);
    sleep(1.5);
    for (const key of KEYS) {
      tmux("send-keys", key);
      sleep(0.6);
    }
    sleep(1);
    return tmux("capture-pane", "-p", "-e");
  } finally {
    tmux("kill-server");
    fs.removeSync(cwd);
  }
}

/** Text with colour codes as SVG lines; codes that mean no colour are dropped. */
function svg(screen: string): string {
  const lines = screen.trimEnd().split("\n");
  const body = lines.map(
    (line, row) => `<text x="16" y="${String(44 + row * 19)}" xml:space="preserve">${spans(line)}</text>`,
  );
  const height = 44 + lines.length * 19 + 4;
  const width = 32 + COLUMNS * 8.45;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${String(height)}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#d7dae0">
<rect width="100%" height="100%" rx="8" fill="#21252b"/>
<circle cx="18" cy="16" r="5" fill="#e06c75"/><circle cx="36" cy="16" r="5" fill="#e5c07b"/><circle cx="54" cy="16" r="5" fill="#98c379"/>
${body.join("\n")}
</svg>
`;
}

function spans(line: string): string {
  let colour = "";
  let bold = false;
  let out = "";
  for (const part of line.split(new RegExp(`(${String.fromCodePoint(27)}\\[[\\d;]*m)`))) {
    const codes = new RegExp(`^${String.fromCodePoint(27)}\\[([\\d;]*)m$`).exec(part)?.[1];
    if (codes === undefined) {
      const text = part.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
      const style = `${colour === "" ? "" : ` fill="${colour}"`}${bold ? ' font-weight="bold"' : ""}`;
      out += style === "" || text === "" ? text : `<tspan${style}>${text}</tspan>`;
      continue;
    }
    for (const code of codes.split(";")) {
      if (code === "" || code === "0") [colour, bold] = ["", false];
      else if (code === "39") colour = "";
      else if (code === "1") bold = true;
      else if (code === "22") bold = false;
      else colour = PALETTE[code] ?? colour;
    }
  }
  return out;
}

execFileSync("tmux", ["-V"]);
fs.outputFileSync(join(PROJECT, "docs/images/interview.svg"), svg(play()));
